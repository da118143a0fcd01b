/** This process's standard streams and signals, connected to a container through its monitor. */
#ifndef STRATA_ATTACH_H
#define STRATA_ATTACH_H
#include "frames.h"
#include "keys.h"
#include "process.h"

struct attach_options {
  struct keys keys;     /* with a terminal only */
  bool no_stdin;
  bool replay;
  bool ends_stdin;      /* the end of our standard input is the end of the container's */
  bool owns;            /* we ran it: that too, and who reads us reads the command */
};

/**
 * Until the container ends: its exit status; 0 when the person detached; -1 when the monitor died, or said
 * that the start it was asked for failed. Signals go to `process`, without the monitor.
 */
int attach_serve(int fd, const struct process *process, const struct attach_options *o, struct err *e);

/** `attach` as a whole. */
int attach_main(const char *root, const char *id, const struct attach_options *o, struct err *e);

#endif
