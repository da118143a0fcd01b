/** Stands between the caller and a running container: signals, and the terminal when there is one. */
#ifndef STRATA_RELAY_H
#define STRATA_RELAY_H

#include <signal.h>

/** Blocks the signals that relay() passes on. Before the container is started, so that none is lost. */
void relay_hold_signals(void);

/** Which those are. */
void relay_held_signals(sigset_t *set);

/** Returns when the process of `pidfd` has ended and the terminal is drained. `master` is -1 without a terminal. */
void relay(int pidfd, int master);

#endif
