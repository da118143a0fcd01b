/** The stub that is pid 1 of a container. */
#ifndef STRATA_INIT_H
#define STRATA_INIT_H
#include "child.h"

/** Starts the payload, forwards signals to it, reaps whatever falls to it, and gives the payload's status (128+n for a signal). */
int init_main(struct child *c, int peer);

/** The exit status that a shell would show for a wait status. */
int init_status(int wait_status);

#endif
