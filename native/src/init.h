/** The stub that is pid 1 of a container. */
#ifndef STRATA_INIT_H
#define STRATA_INIT_H
#include "child.h"

/** Starts the payload, forwards signals to it, reaps whatever falls to it, and gives the payload's status (128+n for a signal). */
int init_main(struct child *c, int peer);

/**
 * What is left to a process that only waits and signals: the payload's filter, no new privileges, and the capabilities
 * KILL and WAKE_ALARM. The second is of no use to it but keeps everybody off who has not got it: the kernel lets a process
 * be looked into only by one that has at least its capabilities.
 */
int init_drop(const struct spec *s, struct err *e);

/** The name and the command line that a container sees of a process of ours: no path of the host's. `argv` may be NULL. */
void init_rename(char **argv, const char *name);

/** The exit status that a shell would show for a wait status. */
int init_status(int wait_status);

#endif
