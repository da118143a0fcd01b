/** /sys/fs/cgroup of a container: what it may see of its own cgroups, always read-only. */
#ifndef STRATA_CGROUP_MOUNT_H
#define STRATA_CGROUP_MOUNT_H
#include "spec.h"

/** A mount that is attached nowhere yet: the unified tree, or a directory with a place for each v1 tree. */
int cgroup_mount_new(const struct spec *s, unsigned attributes, struct err *e);

/** The v1 trees, once that directory is attached at `destination`. */
int cgroup_mount_trees(const struct spec *s, int root, const char *destination, unsigned attributes, struct err *e);

#endif
