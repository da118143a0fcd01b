/**
 * Paths inside a container's root, which the image controls: every one is resolved once, by the kernel, below the root's
 * descriptor, and what comes back is a descriptor. Nothing here ever looks a path up twice.
 */
#ifndef STRATA_ROOTFS_H
#define STRATA_ROOTFS_H
#include "err.h"

/** An O_PATH descriptor of `path` below `root`; links stay inside. Below /proc, /sys and /dev links are refused. -1 with errno. */
int root_find(int root, const char *path, int flags);

/** As root_find, and makes the missing directories (0755) on the way, or the directories and an empty file at the end. */
int root_make_directory(int root, const char *path, struct err *e);
int root_make_file(int root, const char *path, struct err *e);

/** Makes the mount `root` the root of this process and lets go of everything of the old one. */
int root_pivot(int root, struct err *e);

#endif
