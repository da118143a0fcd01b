/** ustar and pax headers, bodies, and which inode was written under which name. */
#include "tar_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"

enum { BLOCK = 512, BUFFER = 1 << 17, VALUE_MOST = 1 << 16, RECORDS_MOST = 1 << 18 };

/** A name that an inode has in the tar already. */
struct seen {
  struct seen *next;
  dev_t device;
  ino_t inode;
  char path[];
};

enum { BUCKETS = 4096 };

struct tar_writer {
  int fd;
  size_t used;
  char data[BUFFER];
  size_t records_used;
  char records[RECORDS_MOST]; /* of the pax header that comes next */
  struct seen *seen[BUCKETS];
};

struct header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
  char magic[8], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

struct tar_writer *tar_write_open(int fd) {
  struct tar_writer *w = calloc(1, sizeof *w);
  if (w != NULL) w->fd = fd;
  return w;
}

void tar_write_close(struct tar_writer *w) {
  if (w == NULL) return;
  for (int i = 0; i < BUCKETS; i++)
    for (struct seen *s = w->seen[i], *next; s != NULL; s = next) {
      next = s->next;
      free(s);
    }
  free(w);
}

static int flush(struct tar_writer *w, struct err *e) {
  for (size_t at = 0; at < w->used;) {
    ssize_t wrote = write(w->fd, w->data + at, w->used - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return err_set(e, errno, "write the tar");
    at += (size_t)wrote;
  }
  w->used = 0;
  return 0;
}

static int put(struct tar_writer *w, const void *bytes, size_t length, struct err *e) {
  for (const char *from = bytes; length > 0;) {
    size_t room = BUFFER - w->used, now = length < room ? length : room;
    memcpy(w->data + w->used, from, now);
    w->used += now;
    from += now;
    length -= now;
    if (w->used == BUFFER && flush(w, e) < 0) return -1;
  }
  return 0;
}

static int pad(struct tar_writer *w, uint64_t size, struct err *e) {
  static const char zeros[BLOCK];
  return put(w, zeros, (size_t)((BLOCK - size % BLOCK) % BLOCK), e);
}

/** `LENGTH key=value\n`, where LENGTH counts itself. */
static int record(struct tar_writer *w, const char *key, const void *value, size_t length, struct err *e) {
  size_t body = strlen(key) + length + 3, total = body;
  char digits[24];
  for (size_t before = 0; before != total;) {
    before = total;
    total = body + (size_t)snprintf(digits, sizeof digits, "%zu", total);
  }
  if (total > RECORDS_MOST - w->records_used) return err_set(e, E2BIG, "its attributes");
  char *to = w->records + w->records_used;
  to += sprintf(to, "%zu %s=", total, key);
  memcpy(to, value, length);
  to[length] = '\n';
  w->records_used += total;
  return 0;
}

/** Octal where it fits, else a record. */
static int number(struct tar_writer *w, char *field, size_t width, int64_t value, const char *key, struct err *e) {
  char text[24];
  bool fits = value >= 0 && (value >> 3 * (width - 1)) == 0;
  snprintf(field, width, "%0*llo", (int)width - 1, fits ? (unsigned long long)value : 0ULL);
  if (fits) return 0;
  return record(w, key, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value), e);
}

/** A name where it fits, else a record and as much of it as there is room for. */
static int text(struct tar_writer *w, char *field, size_t width, const char *value, const char *key, struct err *e) {
  size_t length = strlen(value);
  bool plain = length <= width;
  for (size_t i = 0; plain && i < length; i++) plain = (unsigned char)value[i] < 0x80;
  memcpy(field, value, length < width ? length : width);
  return plain ? 0 : record(w, key, value, length, e);
}

static void sum(struct header *h) {
  unsigned total = 0;
  memset(h->checksum, ' ', sizeof h->checksum);
  for (size_t i = 0; i < BLOCK; i++) total += ((const unsigned char *)h)[i];
  snprintf(h->checksum, sizeof h->checksum, "%06o", total);
  h->checksum[7] = ' ';
}

static void magic(struct header *h) { memcpy(h->magic, "ustar\00000", 8); }

/** The records that were gathered, as an entry of their own before the one they belong to. */
static int extended(struct tar_writer *w, struct err *e) {
  struct header h = {.type = 'x'};
  size_t length = w->records_used;
  if (length == 0) return 0;
  magic(&h);
  snprintf(h.name, sizeof h.name, "PaxHeaders/entry");
  snprintf(h.mode, sizeof h.mode, "0000644");
  snprintf(h.uid, sizeof h.uid, "0000000");
  snprintf(h.gid, sizeof h.gid, "0000000");
  snprintf(h.size, sizeof h.size, "%011zo", length);
  snprintf(h.mtime, sizeof h.mtime, "00000000000");
  sum(&h);
  w->records_used = 0;
  return put(w, &h, BLOCK, e) < 0 || put(w, w->records, length, e) < 0 ? -1 : pad(w, length, e);
}

static bool wanted(const char *name) {
  if (strcmp(name, "security.capability") == 0) return true;
  return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

/** Of a file or directory that is open; what can not be read is as if it were not there. */
static int attributes(struct tar_writer *w, int fd, struct err *e) {
  char names[VALUE_MOST], key[256 + 16];
  OWN_MEMORY char *value = malloc(VALUE_MOST);
  ssize_t length = flistxattr(fd, names, sizeof names);
  if (value == NULL) return err_set(e, ENOMEM, "attributes");
  for (char *at = names; length > 0 && at < names + length; at += strlen(at) + 1) {
    if (!wanted(at)) continue;
    ssize_t got = fgetxattr(fd, at, value, VALUE_MOST);
    snprintf(key, sizeof key, "SCHILY.xattr.%s", at);
    if (got >= 0 && record(w, key, value, (size_t)got, e) < 0) return -1;
  }
  return 0;
}

static int head(struct tar_writer *w, char type, const char *path, const char *link, const struct stat *st, int64_t size, struct err *e) {
  struct header h = {.type = type};
  magic(&h);
  if (text(w, h.name, sizeof h.name, path, "path", e) < 0 || text(w, h.link, sizeof h.link, link, "linkpath", e) < 0) return -1;
  snprintf(h.mode, sizeof h.mode, "%07o", st->st_mode & 07777);
  if (number(w, h.uid, sizeof h.uid, st->st_uid, "uid", e) < 0 || number(w, h.gid, sizeof h.gid, st->st_gid, "gid", e) < 0) return -1;
  if (number(w, h.size, sizeof h.size, size, "size", e) < 0 || number(w, h.mtime, sizeof h.mtime, st->st_mtime, "mtime", e) < 0) return -1;
  bool device = type == '3' || type == '4';
  if (number(w, h.major, sizeof h.major, device ? major(st->st_rdev) : 0, "SCHILY.devmajor", e) < 0 ||
      number(w, h.minor, sizeof h.minor, device ? minor(st->st_rdev) : 0, "SCHILY.devminor", e) < 0)
    return -1;
  sum(&h);
  return extended(w, e) < 0 ? -1 : put(w, &h, BLOCK, e);
}

static int body(struct tar_writer *w, int fd, int64_t size, struct err *e) {
  static const char zeros[BLOCK];
  char bytes[1 << 16];
  int64_t left = size;
  while (left > 0) {
    ssize_t got = read(fd, bytes, left < (int64_t)sizeof bytes ? (size_t)left : sizeof bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return err_set(e, errno, "read a file");
    if (got == 0) break;
    if (put(w, bytes, (size_t)got, e) < 0) return -1;
    left -= got;
  }
  for (; left > 0; left -= left < BLOCK ? left : BLOCK)
    if (put(w, zeros, left < BLOCK ? (size_t)left : BLOCK, e) < 0) return -1;
  return pad(w, (uint64_t)size, e);
}

/** The name under which this inode was written; remembers this one where it is the first. */
static const char *written_as(struct tar_writer *w, const struct stat *st, const char *path) {
  struct seen **bucket = &w->seen[(st->st_ino ^ st->st_dev) % BUCKETS];
  for (struct seen *s = *bucket; s != NULL; s = s->next)
    if (s->inode == st->st_ino && s->device == st->st_dev) return s->path;
  size_t length = strlen(path) + 1;
  struct seen *fresh = malloc(sizeof *fresh + length);
  if (fresh == NULL) return NULL; /* then it is stored twice */
  *fresh = (struct seen){*bucket, st->st_dev, st->st_ino};
  memcpy(fresh->path, path, length);
  *bucket = fresh;
  return NULL;
}

static int file(struct tar_writer *w, int parent, const char *name, const char *path, struct err *e) {
  struct stat st;
  OWN_FD fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == ELOOP ? 0 : err_set(e, errno, "open %.300s", path);
  if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return 0;
  const char *first = st.st_nlink > 1 ? written_as(w, &st, path) : NULL;
  if (first != NULL) return head(w, '1', path, first, &st, 0, e);
  if (attributes(w, fd, e) < 0) return err_in(e, "%.300s", path);
  return head(w, '0', path, "", &st, st.st_size, e) < 0 || body(w, fd, st.st_size, e) < 0 ? -1 : 0;
}

static int directory(struct tar_writer *w, int parent, const char *name, const char *path, struct err *e) {
  struct stat st;
  char slashed[PATH_MAX + 2];
  OWN_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : err_set(e, errno, "open %.300s", path);
  if (fstat(fd, &st) < 0 || attributes(w, fd, e) < 0) return err_in(e, "%.300s", path);
  if (snprintf(slashed, sizeof slashed, "%s/", path) >= (int)sizeof slashed) return err_set(e, ENAMETOOLONG, "%.300s", path);
  return head(w, '5', slashed, "", &st, 0, e);
}

int tar_write_entry(struct tar_writer *w, int parent, const char *name, const char *path, struct err *e) {
  struct stat st;
  char link[PATH_MAX + 1];
  if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : err_set(e, errno, "look at %.300s", path);
  switch (st.st_mode & S_IFMT) {
    case S_IFREG: return file(w, parent, name, path, e);
    case S_IFDIR: return directory(w, parent, name, path, e);
    case S_IFLNK: {
      ssize_t length = readlinkat(parent, name, link, PATH_MAX);
      if (length < 0) return errno == ENOENT ? 0 : err_set(e, errno, "read the link %.300s", path);
      link[length] = 0;
      return head(w, '2', path, link, &st, 0, e);
    }
    case S_IFCHR: return head(w, '3', path, "", &st, 0, e);
    case S_IFBLK: return head(w, '4', path, "", &st, 0, e);
    case S_IFIFO: return head(w, '6', path, "", &st, 0, e);
    default: return 0;
  }
}

int tar_write_marker(struct tar_writer *w, const char *path, struct err *e) {
  struct stat st = {.st_mode = 0600};
  return head(w, '0', path, "", &st, 0, e);
}

int tar_write_end(struct tar_writer *w, struct err *e) {
  static const char zeros[2 * BLOCK];
  return put(w, zeros, sizeof zeros, e) < 0 ? -1 : flush(w, e);
}
