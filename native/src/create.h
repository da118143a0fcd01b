/** `create`: a monitor, and a container that waits for `start`. */
#ifndef STRATA_CREATE_H
#define STRATA_CREATE_H
#include "monitor.h"

struct create_options {
  const char *root;      /* of the state, as home_root gives it */
  const char *bundle, *pid_file;
  bool sized;            /* its terminal gets the size of ours */
  int errors;            /* descriptor of the caller that the monitor must not hold, or -1 */
  struct monitor_options monitor;
};

/**
 * Back when the container is "created" and its monitor, which is nobody's child any more, watches over it; with what went
 * wrong otherwise, and then nothing of it is left.
 */
int create_main(const struct create_options *o, struct err *e);

#endif
