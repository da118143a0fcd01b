/** The process that becomes a container: it builds its own world, then starts the payload and stays as its pid 1. */
#ifndef STRATA_CHILD_H
#define STRATA_CHILD_H
#include "spec.h"

struct child {
  struct spec *spec;
  const char *id;
  int layers;      /* of a user namespace that root made: the mounted layers, handed over by the helper; else -1 */
  int sync;        /* our end of the socket pair */
  bool user;       /* in a new user namespace */
  bool waits;      /* the command waits until it is told to start */
  bool outlives;   /* the container goes on when the helper is gone */
  char **argv;     /* of the process, overwritten so that a container does not read the host's paths in it */
};

/** Runs in the new namespaces and gives the exit status of the process. */
int child_main(struct child *c);

#endif
