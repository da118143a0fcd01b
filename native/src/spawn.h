/** Starts a process in new namespaces and gives it its ids. */
#ifndef STRATA_SPAWN_H
#define STRATA_SPAWN_H
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "idmap.h"

/**
 * As fork(2), with new namespaces: 0 in the child, the pid and a pidfd in the parent, -1 with a reason a person can act on.
 * clone3 where the kernel (or a filter around us) has it, clone otherwise. `*into` is the directory of a unified cgroup that
 * the child is to be born in, NULL or -1 for none; it becomes -1 where that could not be done.
 */
pid_t spawn_namespaces(int flags, int *into, int *pidfd, struct err *e);

/**
 * Runs `job` as root of a user namespace with the caller's sub-ids, or here and now when we are root. Gives the job's
 * result, which is an exit status; `job` reports its own errors. It is told the maps it lives under, NULL as root.
 */
typedef int spawn_work(void *argument, const struct idmaps *maps);
int spawn_job(spawn_work *job, void *argument, struct err *e);

#endif
