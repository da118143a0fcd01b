/** The overlay mount of a stack of layer directories. */
#ifndef STRATA_OVERLAY_H
#define STRATA_OVERLAY_H
#include "mounts.h"
#include "spec.h"

/**
 * Mounts the layers of `s` (and its upper directory where it has one) and gives a descriptor of the mount, which is
 * attached in this mount namespace only. `user` says that this is a user namespace: marks go to user.overlay.*.
 */
int overlay_mount(const struct spec *s, bool user, const struct mount_sources *sources, struct err *e);

/**
 * The same outside of a container, for `pid` in a new user namespace that root made: the ids that are stored in the layers
 * and in the upper directory are those that it has inside (idmapped mounts). Attached nowhere.
 */
int overlay_mount_shifted(const struct spec *s, pid_t pid, struct err *e);

#endif
