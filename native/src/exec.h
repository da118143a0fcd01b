/** `exec`: another command in a container that runs, held to the same rules as its first one. */
#ifndef STRATA_EXEC_H
#define STRATA_EXEC_H
#include <stdbool.h>

#include "args.h"
#include "err.h"

struct exec_options {
  const char *root, *id;
  char **argv;               /* of this process */
  bool tty, detach, no_stdin;
  bool probe;                /* nothing of the command outlives it, nor us */
  bool privileged;           /* every capability there is, and no filter */
  const char *cwd, *user;    /* NULL: the container's */
  const char *process;       /* file with an OCI `process`, in place of the container's; or NULL */
  const char *pid_file, *console_socket;
  struct words env;          /* over the container's */
  char **command;            /* NULL-ended, may be empty with `process` */
  int command_count;
};

/** The exit status: the command's, 128+n for a signal, 125 to 127 as with run; 0 when it was started and `detach`. */
int exec_main(const struct exec_options *o, struct err *e);

#endif
