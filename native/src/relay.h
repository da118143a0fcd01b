/** Stands between the caller and a running container: signals, and the terminal when there is one. */
#ifndef STRATA_RELAY_H
#define STRATA_RELAY_H

/** Blocks the signals that relay() passes on. Before the container is started, so that none is lost. */
void relay_hold_signals(void);

/** Returns when the process of `pidfd` has ended and the terminal is drained. `master` is -1 without a terminal. */
void relay(int pidfd, int master);

#endif
