/** `unpack`: one layer's tar from standard input into a new directory that overlayfs can use as a lower layer. */
#ifndef STRATA_UNPACK_H
#define STRATA_UNPACK_H
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "idmap.h"
#include "lower.h"
#include "tar.h"

struct unpack_options {
  const char *into;           /* must not exist; removed again after an error */
  bool bottom;                /* nothing lies below: marks are dropped */
  const char *const *lower;   /* layer directories below, top first: for hard links and implied directories */
  int lower_count;
  int64_t max_bytes, max_entries;
};

/** Writes `{"entries",...}` to stdout. 0, or -1. Runs in a user namespace when the caller is not root. */
int unpack_main(const struct unpack_options *o, struct err *e);

/**
 * A tar from standard input into a directory that is there, over what is in it: no markers, no layers below, mounts are
 * passed through. A directory is not replaced by anything else. What happened until an error stays.
 */
int unpack_over(const char *into, const struct idmaps *maps, struct err *e);

struct late {
  char *path;
  dev_t device;
  ino_t inode;
  size_t order;
  bool implied;
  int64_t seconds;
  uint32_t nanoseconds;
};

struct unpack {
  const struct unpack_options *options;
  const struct idmaps *maps; /* NULL as root */
  bool over;                 /* unpack_over */
  struct tar *tar;
  int root;
  struct lower_stack lower;
  struct late *late;         /* directories whose times wait for their children */
  size_t late_count, late_capacity;
  char **markers;            /* paths, cleaned */
  size_t marker_count, marker_capacity;
  int64_t entries, bytes, whiteouts, opaques;
  int64_t foreign_ids, skipped_devices, skipped_xattrs, skipped_others, forged_marks;
};

/** One entry of the tar into the tree. */
int unpack_entry(struct unpack *u, const struct tar_entry *entry, struct err *e);

/** The parent of `path` as a descriptor, `*name` its last component; missing directories are made. -2: passes through something that is no directory, with `make` false. */
int unpack_parent(struct unpack *u, const char *path, const char **name, bool make, struct err *e);

/** 1 for `.wh.NAME`, `.wh..wh..opq` and AUFS's own, which are kept for the end; 0 for an ordinary name. */
int unpack_is_marker(struct unpack *u, const char *path, struct err *e);

/** Puts the markers into overlayfs's form, when everything that the layer has itself is there. */
int unpack_markers(struct unpack *u, struct err *e);

/** Owner, mode, extended attributes, time of what is open as `fd` or, with fd -1, of `name` in `parent` (a link). */
int unpack_metadata(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, int fd, struct err *e);

/** Remembers a directory for the end, when its children and the markers are there; `entry` is NULL where a deeper name implies it. */
int unpack_later(struct unpack *u, const char *path, int dir, const struct tar_entry *entry, struct err *e);

/** Times of all directories; implied ones look as the ones below them. */
int unpack_late(struct unpack *u, struct err *e);

/** Whether this layer's markers hide what layers below have at `path`. After unpack_markers. */
bool unpack_is_hidden(const struct unpack *u, const char *path);

/** Copies `path` of the layers below into this one, so that a link can be made to it. */
int unpack_copy_up(struct unpack *u, const char *path, struct err *e);

#endif
