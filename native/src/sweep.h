/** Pausing and killing a container that has no cgroup: signals to every process of its pid namespace. They can notice it. */
#ifndef STRATA_SWEEP_H
#define STRATA_SWEEP_H
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/** Sends the signal to every process in the pid namespace whose pid 1 is `init`, again until a pass finds nobody new. */
int sweep_signal(pid_t init, int signal_number, struct err *e);

/** SIGSTOP to all of them, and back when all are stopped; SIGCONT. */
int sweep_stop(pid_t init, bool stopped, struct err *e);
bool sweep_stopped(pid_t init);

#endif
