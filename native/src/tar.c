/** The reader of tar.h: blocks in, entries out; extension headers are folded into the entry that follows them. */
#include "tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tar_parts.h"

struct tar {
  tar_source *source;
  void *context;
  int64_t position;
  int64_t body, padding;     /* still to come of the current entry */
  unsigned char block[TAR_BLOCK];
  char name[256 + 2], link[100 + 1];
  char *long_name, *long_link;
  struct pax pax;
  struct pieces pieces;
};

enum { NAME = 0, MODE = 100, UID = 108, GID = 116, SIZE = 124, MTIME = 136, SUM = 148, TYPE = 156, LINK = 157, MAGIC = 257, MAJOR = 329, MINOR = 337, PREFIX = 345, SPARSE = 386, MORE = 482, REAL_SIZE = 483 };

struct tar *tar_open(tar_source *source, void *context) {
  struct tar *t = calloc(1, sizeof *t);
  if (t == NULL) return NULL;
  t->source = source;
  t->context = context;
  return t;
}

static void forget(struct tar *t) {
  free(t->long_name);
  free(t->long_link);
  t->long_name = t->long_link = NULL;
  pax_clear(&t->pax);
  t->pieces.count = 0;
  t->pieces.pending = -1;
}

void tar_close(struct tar *t) {
  if (t == NULL) return;
  forget(t);
  free(t->pieces.items);
  free(t);
}

/** Fills `to` as far as the stream goes: gives how many bytes there were. */
static ssize_t fill(struct tar *t, void *to, size_t length, struct err *e) {
  size_t got = 0;
  while (got < length) {
    ssize_t n = t->source(t->context, (char *)to + got, length - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return err_set(e, errno, "read the tar");
    if (n == 0) break;
    got += (size_t)n;
    t->position += n;
  }
  return (ssize_t)got;
}

static int skip(struct tar *t, int64_t bytes, struct err *e) {
  char scratch[16384];
  while (bytes > 0) {
    size_t part = bytes < (int64_t)sizeof scratch ? (size_t)bytes : sizeof scratch;
    ssize_t got = fill(t, scratch, part, e);
    if (got < 0) return -1;
    if ((size_t)got < part) return err_set(e, 0, "the tar ends inside a file, at byte %lld", (long long)t->position);
    bytes -= got;
  }
  return 0;
}

/** 1 with a block, 0 at the end of the stream, -1. */
static int next_block(struct tar *t, struct err *e) {
  ssize_t got = fill(t, t->block, TAR_BLOCK, e);
  if (got < 0) return -1;
  if (got == 0) return 0;
  return got == TAR_BLOCK ? 1 : err_set(e, 0, "the tar ends inside a header, at byte %lld", (long long)t->position);
}

static bool zero(const unsigned char *block) {
  for (int i = 0; i < TAR_BLOCK; i++)
    if (block[i] != 0) return false;
  return true;
}

static bool sum_is_right(const unsigned char *block) {
  int64_t stored, plain = 0, with_sign = 0;
  for (int i = 0; i < TAR_BLOCK; i++) {
    unsigned char c = i >= SUM && i < SUM + 8 ? ' ' : block[i];
    plain += c;
    with_sign += (signed char)c;
  }
  return tar_number(block + SUM, 8, &stored) == 0 && (stored == plain || stored == with_sign);
}

/** The body of an extension header as a string, bounded. */
static char *extension(struct tar *t, int64_t size, size_t *length, struct err *e) {
  if (size > TAR_MAX_EXTENSION) return err_set(e, 0, "an extension header of %lld bytes", (long long)size), NULL;
  char *text = malloc((size_t)size + 2);
  if (text == NULL) return err_set(e, ENOMEM, "tar"), NULL;
  text[0] = 0; /* offset 0 stands for "absent" in struct pax */
  ssize_t got = fill(t, text + 1, (size_t)size, e);
  if (got == size && skip(t, -size & (TAR_BLOCK - 1), e) == 0) {
    text[size + 1] = 0;
    *length = (size_t)size + 1;
    return text;
  }
  if (got >= 0 && got < size) err_set(e, 0, "the tar ends inside an extension header");
  free(text);
  return NULL;
}

static int long_text(struct tar *t, char **to, int64_t size, struct err *e) {
  size_t length;
  char *text = extension(t, size, &length, e);
  if (text == NULL) return -1;
  memmove(text, text + 1, length);
  free(*to);
  *to = text;
  return 0;
}

static int read_pax(struct tar *t, int64_t size, struct err *e) {
  pax_clear(&t->pax);
  t->pieces.count = 0;
  t->pieces.pending = -1;
  t->pax.text = extension(t, size, &t->pax.length, e);
  return t->pax.text == NULL ? -1 : pax_read(&t->pax, &t->pieces, e);
}

static void header_names(struct tar *t) {
  size_t prefix = 0;
  /* GNU writes times where the prefix would be; an old Go wrote a prefix under GNU's name all the same. */
  unsigned char first = t->block[PREFIX];
  bool gnu_time = first == 0 || first == ' ' || first >= 0x80 || (first >= '0' && first <= '7');
  if (memcmp(t->block + MAGIC, "ustar", 6) == 0 || (memcmp(t->block + MAGIC, "ustar ", 6) == 0 && !gnu_time)) {
    prefix = strnlen((char *)t->block + PREFIX, 155);
    memcpy(t->name, t->block + PREFIX, prefix);
    if (prefix > 0) t->name[prefix++] = '/';
  }
  size_t length = strnlen((char *)t->block + NAME, 100);
  memcpy(t->name + prefix, t->block + NAME, length);
  t->name[prefix + length] = 0;
  length = strnlen((char *)t->block + LINK, 100);
  memcpy(t->link, t->block + LINK, length);
  t->link[length] = 0;
}

static enum tar_type type_of(unsigned char flag, const char *path) {
  switch (flag) {
    case '1': return TAR_HARD_LINK;
    case '2': return TAR_SYMLINK;
    case '3': return TAR_CHARACTER;
    case '4': return TAR_BLOCK_DEVICE;
    case '5': return TAR_DIRECTORY;
    case '6': return TAR_FIFO;
    case 'S': return TAR_FILE;
    case 0: case '0': case '7': break;
    default: return TAR_OTHER;
  }
  size_t length = strlen(path); /* before there was a type for it, a directory was a name with a slash */
  return length > 0 && path[length - 1] == '/' ? TAR_DIRECTORY : TAR_FILE;
}

static int number(struct tar *t, int at, size_t length, int64_t least, int64_t most, const char *what, int64_t *to, struct err *e) {
  if (tar_number(t->block + at, length, to) < 0 || *to < least || *to > most) return err_set(e, 0, "a header with a bad %s", what);
  return 0;
}

/** GNU's own sparse format: four pieces in the header, more in the blocks that follow it. */
static int gnu_sparse(struct tar *t, struct tar_entry *entry, struct err *e) {
  int64_t real;
  if (tar_number(t->block + REAL_SIZE, 12, &real) < 0 || real < 0) return err_set(e, 0, "a sparse file without a size");
  entry->sparse = true;
  t->pieces.count = 0;
  int at = SPARSE, count = 4, more = t->block[MORE];
  for (;;) {
    for (int i = 0; i < count; i++, at += 24) {
      int64_t offset, length;
      if (t->block[at] == 0) continue;
      if (tar_number(t->block + at, 12, &offset) < 0 || tar_number(t->block + at + 12, 12, &length) < 0) return err_set(e, 0, "a sparse map that is none");
      if (pieces_add(&t->pieces, offset, length, e) < 0) return -1;
    }
    if (!more) break;
    int got = next_block(t, e);
    if (got <= 0) return got < 0 ? -1 : err_set(e, 0, "the tar ends inside a sparse map");
    at = 0, count = 21, more = t->block[504];
  }
  int64_t stored = entry->size;
  entry->size = real;
  return pieces_check(&t->pieces, real, stored, e);
}

/** One line of the map that PAX 1.0 puts before the body: decimal digits, ended by a newline. */
static int map_number(struct tar *t, size_t *in_block, int64_t *to, struct err *e) {
  char digits[20];
  for (size_t i = 0; i < sizeof digits; i++) {
    if (*in_block == TAR_BLOCK) {
      if (t->body < TAR_BLOCK) return err_set(e, 0, "a sparse map longer than its file");
      if (next_block(t, e) <= 0) return err_set(e, 0, "the tar ends inside a sparse map");
      t->body -= TAR_BLOCK;
      *in_block = 0;
    }
    digits[i] = (char)t->block[(*in_block)++];
    if (digits[i] == '\n') return tar_decimal(digits, i, to) < 0 ? err_set(e, 0, "a sparse map that is none") : 0;
  }
  return err_set(e, 0, "a sparse map that is none");
}

static int pax_sparse(struct tar *t, struct tar_entry *entry, struct err *e) {
  entry->sparse = true;
  if (t->pax.sparse_map_in_body) {
    int64_t count, pair[2];
    size_t in_block = TAR_BLOCK;
    t->pieces.count = 0;
    if (map_number(t, &in_block, &count, e) < 0) return -1;
    for (int64_t i = 0; i < count; i++)
      if (map_number(t, &in_block, &pair[0], e) < 0 || map_number(t, &in_block, &pair[1], e) < 0 || pieces_add(&t->pieces, pair[0], pair[1], e) < 0) return -1;
  }
  entry->size = t->pax.real_size;
  return pieces_check(&t->pieces, entry->size, t->body, e);
}

static int fields(struct tar *t, struct tar_entry *entry, struct err *e) {
  int64_t mode, uid = 0, gid = 0, time, major = 0, minor = 0;
  const struct pax *p = &t->pax;
  if (number(t, MODE, 8, INT64_MIN, INT64_MAX, "mode", &mode, e) < 0 || number(t, MTIME, 12, INT64_MIN, INT64_MAX, "time", &time, e) < 0) return -1;
  if (!p->has_uid && number(t, UID, 8, 0, UINT32_MAX - 1, "owner", &uid, e) < 0) return -1;
  if (!p->has_gid && number(t, GID, 8, 0, UINT32_MAX - 1, "group", &gid, e) < 0) return -1;
  if ((entry->type == TAR_CHARACTER || entry->type == TAR_BLOCK_DEVICE) &&
      (number(t, MAJOR, 8, 0, UINT32_MAX, "device", &major, e) < 0 || number(t, MINOR, 8, 0, UINT32_MAX, "device", &minor, e) < 0))
    return -1;
  entry->mode = (uint32_t)mode & 07777;
  entry->uid = p->has_uid ? p->uid : (uint32_t)uid;
  entry->gid = p->has_gid ? p->gid : (uint32_t)gid;
  entry->seconds = p->has_time ? p->seconds : time;
  entry->nanoseconds = p->has_time ? p->nanoseconds : 0;
  entry->major = (uint32_t)major;
  entry->minor = (uint32_t)minor;
  memcpy(entry->xattrs, p->xattrs, (size_t)p->xattr_count * sizeof *p->xattrs);
  entry->xattr_count = p->xattr_count;
  return 0;
}

/** The header in t->block is an entry's: everything known about it is put together. */
static int complete(struct tar *t, struct tar_entry *entry, int64_t header, struct err *e) {
  header_names(t);
  const struct pax *p = &t->pax;
  unsigned char flag = t->block[TYPE];
  *entry = (struct tar_entry){.header = header};
  entry->path = p->sparse_name != 0 ? p->text + p->sparse_name : p->path != 0 ? p->text + p->path : t->long_name != NULL ? t->long_name : t->name;
  entry->link = p->link != 0 ? p->text + p->link : t->long_link != NULL ? t->long_link : t->link;
  entry->type = type_of(flag, entry->path);
  if (strlen(entry->path) > TAR_MAX_NAME || strlen(entry->link) > TAR_MAX_NAME) return err_set(e, 0, "a name of more than %d bytes", TAR_MAX_NAME);
  if (p->has_size) entry->size = p->size;
  else if (number(t, SIZE, 12, 0, INT64_MAX - TAR_BLOCK, "size", &entry->size, e) < 0) return -1;
  if (entry->size > INT64_MAX - TAR_BLOCK) return err_set(e, 0, "a header with a bad size");
  if (fields(t, entry, e) < 0) return -1;
  /* A link has no body, whatever size some writers leave in it; only a hard link of PAX may carry one. */
  if (entry->type == TAR_SYMLINK || entry->type == TAR_CHARACTER || entry->type == TAR_BLOCK_DEVICE || entry->type == TAR_FIFO || entry->type == TAR_DIRECTORY ||
      (entry->type == TAR_HARD_LINK && !p->has_size))
    entry->size = 0;
  t->body = entry->size;
  t->padding = -entry->size & (TAR_BLOCK - 1);
  if (flag == 'S' && gnu_sparse(t, entry, e) < 0) return -1;
  if (p->sparse && entry->type == TAR_FILE && flag != 'S' && pax_sparse(t, entry, e) < 0) return -1;
  entry->pieces = t->pieces.items;
  entry->piece_count = entry->sparse ? t->pieces.count : 0;
  return 1;
}

static int finish(struct tar *t, struct err *e) {
  int64_t rest = t->body + t->padding;
  t->body = t->padding = 0;
  forget(t);
  return skip(t, rest, e);
}

/** What follows the end of the archive is read and dropped, so that whoever writes it can end in peace. */
static int end(struct tar *t, struct err *e) {
  char scratch[16384];
  ssize_t got;
  while ((got = fill(t, scratch, sizeof scratch, e)) == (ssize_t)sizeof scratch) continue;
  return got < 0 ? -1 : 0;
}

static int headers(struct tar *t, struct tar_entry *entry, int64_t start, struct err *e) {
  for (;;) {
    int got = next_block(t, e);
    if (got < 0) return -1;
    if (got == 0 || zero(t->block)) return got == 0 ? 0 : end(t, e);
    if (!sum_is_right(t->block)) return err_set(e, 0, "a header with a wrong checksum");
    unsigned char flag = t->block[TYPE];
    if (strchr("LKxgX", flag) == NULL || flag == 0) return complete(t, entry, start, e);
    int64_t size;
    if (number(t, SIZE, 12, 0, INT64_MAX - TAR_BLOCK, "size", &size, e) < 0) return -1;
    int result = 0;
    if (flag == 'L') result = long_text(t, &t->long_name, size, e);
    else if (flag == 'K') result = long_text(t, &t->long_link, size, e);
    else if (flag == 'g') result = size > TAR_MAX_EXTENSION ? err_set(e, 0, "a global header of %lld bytes", (long long)size) : skip(t, (size + TAR_BLOCK - 1) & ~(int64_t)(TAR_BLOCK - 1), e);
    else result = read_pax(t, size, e);
    if (result < 0) return -1;
  }
}

int tar_next(struct tar *t, struct tar_entry *entry, struct err *e) {
  if (finish(t, e) < 0) return -1;
  int64_t start = t->position;
  int result = headers(t, entry, start, e);
  return result < 0 ? err_in(e, "tar, at byte %lld", (long long)start) : result;
}

ssize_t tar_read(struct tar *t, void *to, size_t length, struct err *e) {
  if (t->body == 0) return 0;
  size_t part = (int64_t)length < t->body ? length : (size_t)t->body;
  ssize_t got = fill(t, to, part, e);
  if (got < 0) return -1;
  if ((size_t)got < part) return err_set(e, 0, "the tar ends inside a file, at byte %lld", (long long)t->position);
  t->body -= got;
  return got;
}
