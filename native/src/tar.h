/**
 * Reads a tar stream: V7, ustar, GNU (long names, sparse, base-256 numbers), PAX. Nothing is allocated by a size that the
 * archive claims; every limit is here. One size is used for reading and for skipping (CVE-2025-62518).
 */
#ifndef STRATA_TAR_H
#define STRATA_TAR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

enum { TAR_BLOCK = 512, TAR_MAX_EXTENSION = 1 << 20, TAR_MAX_PIECES = 1 << 16, TAR_MAX_XATTRS = 256, TAR_MAX_NAME = 1 << 16 };

enum tar_type { TAR_FILE, TAR_HARD_LINK, TAR_SYMLINK, TAR_CHARACTER, TAR_BLOCK_DEVICE, TAR_DIRECTORY, TAR_FIFO, TAR_OTHER };

struct tar_xattr {
  const char *name, *value;
  size_t length;
};
struct tar_piece {
  int64_t offset, length;
};

/** Valid until the next tar_next. Names end in NUL and hold none. */
struct tar_entry {
  enum tar_type type;
  const char *path, *link;
  uint32_t mode, uid, gid, major, minor;
  int64_t size;          /* of the file that comes out, holes included */
  int64_t seconds;
  uint32_t nanoseconds;
  struct tar_xattr xattrs[TAR_MAX_XATTRS];
  int xattr_count;
  bool sparse;
  const struct tar_piece *pieces; /* of a sparse file: where the stored bytes belong, in order */
  int piece_count;
  int64_t header;        /* offset of its first header block, for errors */
};

typedef ssize_t tar_source(void *context, void *to, size_t length);

struct tar;

/** NULL without memory. */
struct tar *tar_open(tar_source *source, void *context);
void tar_close(struct tar *t);

/** 1 with the next entry, 0 at the end of the archive, -1 with an error that names offset and entry. */
int tar_next(struct tar *t, struct tar_entry *entry, struct err *e);

/** Up to `length` of the stored bytes of the entry's body: 0 at its end, -1 with an error. Bytes left unread are skipped by tar_next. */
ssize_t tar_read(struct tar *t, void *to, size_t length, struct err *e);

#endif
