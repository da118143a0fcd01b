/** Which namespaces a process lives in that we do not, and with what ids: read before anything of it is entered. */
#ifndef STRATA_JOIN_H
#define STRATA_JOIN_H
#include "idmap.h"
#include "process.h"

struct joining {
  int pidfd;          /* of the process whose namespaces they are */
  int namespaces;     /* CLONE_NEW* of those that differ from ours */
  struct idmaps maps; /* of its user namespace, when that differs */
};

/** -1 with a sentence when it is gone or not ours to look at. The caller closes `pidfd`. */
int join_read(struct joining *j, const struct process *process, struct err *e);

/** Enters all of them in one call; pid namespaces count for children only. Becomes root of a user namespace. */
int join_enter(const struct joining *j, struct err *e);

#endif
