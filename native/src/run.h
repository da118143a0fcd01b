/** `run --foreground`: a container that lives and dies with this process, from its config.json to its exit status. */
#ifndef STRATA_RUN_H
#define STRATA_RUN_H
#include "err.h"

struct run_options {
  const char *bundle, *id;
  const char *pid_file; /* NULL: none */
  int reply;            /* descriptor for JSON lines, -1 for none */
  char **argv;
};

/** The exit status: the command's own, 128+n for a signal, 125 when the container could not be made, 126/127 for the command. */
int run_main(const struct run_options *o, struct err *e);

#endif
