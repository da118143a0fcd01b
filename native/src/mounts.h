/** What is mounted inside a container's root: the specification's mounts, masked and read-only paths. */
#ifndef STRATA_MOUNTS_H
#define STRATA_MOUNTS_H
#include "spec.h"

/** The mounts of the specification, or Docker's set where it names none. */
const struct mount_spec *mounts_of(const struct spec *s, int *count);

/** The pieces of the host's tree that are to be bound, one a mount, -1 for mounts that are none. */
struct mount_sources {
  int fds[MAX_MOUNTS];
};

/**
 * Takes hold of all sources with their restrictions on, before anything is mounted that could lie over them. Each is
 * looked up once, here. The caller closes with mounts_close, also after an error.
 */
int mounts_open(const struct spec *s, bool user, struct mount_sources *sources, struct err *e);
void mounts_close(struct mount_sources *sources);

/** Makes every mount's place in the directory `places`. What is a file and what a directory is taken from the source. */
int mounts_make_places(int places, const struct spec *s, const struct mount_sources *sources, struct err *e);

/** Mounts all of it below `root`. `*own_dev` becomes true when /dev is a fresh file system that needs nodes. */
int mounts_attach(int root, const struct spec *s, bool user, const struct mount_sources *sources, bool *own_dev, struct err *e);

/** Hides and write-protects paths; ones that do not exist are passed over. */
int mounts_mask(int root, const struct spec *s, struct err *e);
int mounts_protect(int root, const struct spec *s, struct err *e);

/** A mount of its own of a new file system, not attached anywhere; `data` holds "key=value" or "flag" pairs. */
int mounts_new(const char *type, const char *const *data, int count, unsigned attributes, struct err *e);

#endif
