/**
 * A container's cgroups. Where there is a unified tree (alone, or beside v1 trees: "hybrid") it is what starts, freezes and
 * kills; limits are set where their controller lives. Without any cgroup that we may write to everything here still
 * succeeds and `path` stays empty: sweep.h then pauses and kills by signals.
 */
#ifndef STRATA_CGROUP_H
#define STRATA_CGROUP_H
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "resources.h"

enum cgroup_layout { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_UNIFIED };

/** The unified tree and the v1 trees that are used. */
enum cgroup_tree { CGROUP_V2, CGROUP_MEMORY, CGROUP_CPU, CGROUP_CPUACCT, CGROUP_PIDS, CGROUP_FREEZER, CGROUP_TREES };

enum { CGROUP_PATH = 1024 };

struct cgroup {
  char path[CGROUP_PATH];  /* below the root of every tree, "/strata/ID": what a state file keeps. Empty: there is none */
  int dirs[CGROUP_TREES];  /* the container's directory in each tree, -1 where it has none */
};

enum cgroup_layout cgroup_layout(void);
const char *cgroup_tree_name(enum cgroup_tree tree);         /* "unified", or the controller */
const char *cgroup_layout_name(enum cgroup_layout layout); /* "none", "v1", "hybrid", "unified" */

/**
 * Makes the cgroups of a new container and sets its limits. `wanted` is linux.cgroupsPath or NULL: then /strata/ID, for an
 * ordinary user a child of the nearest cgroup around us that was delegated to it. A limit that can not be set is an error
 * for root; for an ordinary user it is a sentence in `warning` (whose text is empty otherwise).
 */
int cgroup_create(struct cgroup *c, const char *id, const char *wanted, const struct resources *limits, struct err *warning, struct err *e);

/** The cgroups of a container that exists, by the `path` of its state; those that are gone stay -1. */
void cgroup_open(struct cgroup *c, const char *path);
void cgroup_close(struct cgroup *c);

/** For CLONE_INTO_CGROUP: the directory in the unified tree, -1 when there is none. */
int cgroup_clone_into(const struct cgroup *c);

/** Puts a process into all of them; `cloned` when CLONE_INTO_CGROUP did it for the unified tree. */
int cgroup_enter(const struct cgroup *c, pid_t pid, bool cloned, struct err *e);

/** Gives a container that runs the cgroups that new limits need and that it was made without. */
int cgroup_extend(struct cgroup *c, const struct resources *limits, struct err *e);

/** Sets or changes limits, all that can be; -1 with the first that can not. */
int cgroup_limit(const struct cgroup *c, const struct resources *limits, struct err *e);

/** Can be frozen, that is paused without the processes noticing. */
bool cgroup_freezable(const struct cgroup *c);
/** Stops or lets go on every process, and comes back when that is done. */
int cgroup_freeze(const struct cgroup *c, bool frozen, struct err *e);
bool cgroup_frozen(const struct cgroup *c);

/** Sends a signal to every process; SIGKILL also reaches those that are frozen and those that are being made meanwhile. */
int cgroup_signal(const struct cgroup *c, int signal_number, struct err *e);

/** How often the kernel killed a process because memory ran out. */
long cgroup_oom_kills(const struct cgroup *c);

/** True when nothing runs in it any more, within so many milliseconds. */
bool cgroup_wait_empty(const struct cgroup *c, int milliseconds);

/** Removes the directories, also those that the container made below them; processes are to be gone. Closes them too. */
int cgroup_remove(struct cgroup *c, struct err *e);

#endif
