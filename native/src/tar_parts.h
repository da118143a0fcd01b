/** The pieces of the tar reader: numbers, PAX records, sparse maps. Used by tar.c only. */
#ifndef STRATA_TAR_PARTS_H
#define STRATA_TAR_PARTS_H
#include "tar.h"

/** What a PAX header said; offsets into its text, 0 for absent (the text starts with a NUL). */
struct pax {
  char *text;
  size_t length;
  size_t path, link, sparse_name;
  bool has_size, has_uid, has_gid, has_time, sparse, sparse_map_in_body;
  int64_t size, real_size, seconds;
  uint32_t uid, gid, nanoseconds;
  struct tar_xattr xattrs[TAR_MAX_XATTRS];
  int xattr_count;
};

struct pieces {
  struct tar_piece *items;
  int count, capacity;
  int64_t pending; /* an offset that waits for its length; -1 none */
};

/** Octal with blanks around it, or base-256. -1 when it is neither or does not fit. */
int tar_number(const unsigned char *field, size_t length, int64_t *to);

/** Decimal digits only. */
int tar_decimal(const char *text, size_t length, int64_t *to);

/** Reads the records of `p->text`. Sparse maps of the versions 0.0 and 0.1 go to `pieces`. */
int pax_read(struct pax *p, struct pieces *pieces, struct err *e);
void pax_clear(struct pax *p);

int pieces_add(struct pieces *p, int64_t offset, int64_t length, struct err *e);

/** In order, without overlap, inside `size`, and `stored` bytes in all. */
int pieces_check(const struct pieces *p, int64_t size, int64_t stored, struct err *e);

#endif
