/**
 * One entry. The parent is resolved by the kernel below the root's descriptor, where links stay inside; the last
 * component is made with *at calls that follow nothing. So no name, link or order of entries reaches anything outside.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "own.h"
#include "sys.h"
#include "tree.h"
#include "unpack.h"

/** A name as it is kept: no leading, doubled or trailing slash, no "."; ".." is refused. Gives "" for the root. */
static int clean(const char *path, char to[PATH_MAX], struct err *e) {
  size_t used = 0;
  for (const char *at = path; *at != 0;) {
    size_t length = strcspn(at, "/");
    if (length == 2 && at[0] == '.' && at[1] == '.') return err_set(e, 0, "a name that climbs with \"..\"");
    if (length > NAME_MAX || used + length + 2 > PATH_MAX) return err_set(e, ENAMETOOLONG, "a name");
    if (length > 0 && !(length == 1 && at[0] == '.')) {
      if (used > 0) to[used++] = '/';
      memcpy(to + used, at, length);
      used += length;
    }
    at += length + (at[length] == '/');
  }
  to[used] = 0;
  return 0;
}

static int find(const struct unpack *u, const char *path, uint64_t flags) {
  return sys_openat2(u->root, *path == 0 ? "." : path, flags, 0, RESOLVE_IN_ROOT_ | RESOLVE_NO_MAGICLINKS_ | (u->over ? 0u : RESOLVE_NO_XDEV_));
}

/** A directory in `parent`, made or found; whatever else stands there goes. */
static int directory(int parent, const char *name, bool *made, struct err *e) {
  *made = mkdirat(parent, name, 0755) == 0;
  if (!*made && errno != EEXIST) return err_set(e, errno, "make a directory");
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0) return fd;
  if (errno != ENOTDIR && errno != ELOOP) return err_set(e, errno, "open a directory");
  if (tree_remove(parent, name, e) < 0) return -1;
  *made = true;
  if (mkdirat(parent, name, 0755) < 0 || (fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
    return err_set(e, errno, "make a directory");
  return fd;
}

enum { MAX_LINKS = 40 };

static int make_parents(struct unpack *u, const char *path, size_t length, int links, struct err *e);

/** Where the link `name` in the directory `prefix` leads, as a path from the root that "..", taken by name, can not leave. */
static int link_target(const char *prefix, size_t parent_length, const char *text, char to[PATH_MAX], struct err *e) {
  char joined[2 * PATH_MAX];
  size_t used = 0;
  if (text[0] == '/') parent_length = 0;
  snprintf(joined, sizeof joined, "%.*s/%s", (int)parent_length, prefix, text);
  for (const char *at = joined; *at != 0;) {
    size_t length = strcspn(at, "/");
    if (length == 2 && at[0] == '.' && at[1] == '.') {
      while (used > 0 && to[used - 1] != '/') used--;
      if (used > 0) used--;
    } else if (length > 0 && !(length == 1 && at[0] == '.')) {
      if (length > NAME_MAX || used + length + 2 > PATH_MAX) return err_set(e, ENAMETOOLONG, "a link's target");
      if (used > 0) to[used++] = '/';
      memcpy(to + used, at, length);
      used += length;
    }
    at += length + (at[length] == '/');
  }
  to[used] = 0;
  return 0;
}

/** A directory is a link whose target this layer does not have (a lower one may): the target is made, inside the root. */
static int make_target(struct unpack *u, int parent, const char *name, const char *prefix, size_t parent_length, int links, struct err *e) {
  char text[PATH_MAX], target[PATH_MAX];
  ssize_t length = readlinkat(parent, name, text, sizeof text - 1);
  if (length < 0) return err_set(e, errno, "read a link");
  text[length] = 0;
  if (links == MAX_LINKS) return err_set(e, ELOOP, "its directory");
  if (link_target(prefix, parent_length, text, target, e) < 0) return -1;
  return make_parents(u, target, strlen(target), links + 1, e);
}

/** Makes the directories of `path` that are missing, and puts one where a file stood. */
static int make_parents(struct unpack *u, const char *path, size_t length, int links, struct err *e) {
  char prefix[PATH_MAX];
  int parent = dup(u->root);
  for (size_t at = 0; at < length;) {
    size_t end = at + strcspn(path + at, "/");
    char name[NAME_MAX + 1];
    memcpy(prefix, path, end);
    prefix[end] = 0;
    memcpy(name, path + at, end - at);
    name[end - at] = 0;
    int child = find(u, prefix, O_RDONLY | O_DIRECTORY);
    bool made = false;
    struct stat st;
    if (child < 0 && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
      child = make_target(u, parent, name, prefix, at == 0 ? 0 : at - 1, links, e);
    else if (child < 0)
      child = directory(parent, name, &made, e);
    close(parent);
    if (child < 0) return -1;
    parent = child;
    if (made && unpack_later(u, prefix, child, NULL, e) < 0) return close(child), -1;
    at = end + 1;
  }
  return parent;
}

int unpack_parent(struct unpack *u, const char *path, const char **name, bool make, struct err *e) {
  char directory_name[PATH_MAX];
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path);
  *name = slash == NULL ? path : slash + 1;
  memcpy(directory_name, path, length);
  directory_name[length] = 0;
  int parent = find(u, directory_name, O_PATH | O_DIRECTORY);
  if (parent >= 0) return parent;
  if (errno == ENOTDIR && !make) return -2;
  if (errno != ENOENT && errno != ENOTDIR) return err_set(e, errno, "its directory");
  return make_parents(u, path, length, 0, e);
}

static int write_pieces(struct unpack *u, const struct tar_entry *entry, int fd, struct err *e) {
  char bytes[1 << 16];
  struct tar_piece all = {0, INT64_MAX};
  const struct tar_piece *piece = entry->sparse ? entry->pieces : &all;
  int64_t done = 0;
  for (ssize_t got;;) {
    while (entry->sparse && piece < entry->pieces + entry->piece_count && done == piece->length) piece++, done = 0;
    int64_t left = entry->sparse && piece == entry->pieces + entry->piece_count ? 0 : piece->length - done;
    if ((got = tar_read(u->tar, bytes, left < (int64_t)sizeof bytes ? (size_t)left : sizeof bytes, e)) <= 0) return (int)got;
    u->bytes += got;
    if (u->bytes > u->options->max_bytes) return err_set(e, 0, "the layer unpacks to more than %lld bytes", (long long)u->options->max_bytes);
    for (ssize_t at = 0; at < got;) {
      ssize_t wrote = pwrite(fd, bytes + at, (size_t)(got - at), piece->offset + done);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return err_set(e, errno, "write");
      at += wrote;
      done += wrote;
    }
  }
}

static int regular(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, struct err *e) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(parent, name, flags, 0600);
  if (fd < 0 && errno == EEXIST) {
    if (tree_remove(parent, name, e) < 0) return -1;
    fd = openat(parent, name, flags, 0600);
  }
  if (fd < 0) return err_set(e, errno, "make the file");
  int result = write_pieces(u, entry, fd, e);
  if (result == 0 && entry->sparse && ftruncate(fd, entry->size) < 0) result = err_set(e, errno, "size the file");
  if (result == 0) result = unpack_metadata(u, entry, parent, name, fd, e);
  close(fd);
  return result;
}

static int make_directory(struct unpack *u, const struct tar_entry *entry, const char *path, int parent, const char *name, struct err *e) {
  bool made;
  OWN_FD fd = directory(parent, name, &made, e);
  if (fd < 0) return -1;
  if (unpack_metadata(u, entry, parent, name, fd, e) < 0) return -1;
  return unpack_later(u, path, fd, entry, e);
}

/** The target must be of this layer: then it is the same inode. A file of a lower layer is copied up first (LAYERS, rule 8). */
static int hard_link(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, struct err *e) {
  char target[PATH_MAX];
  const char *last;
  struct stat st, here;
  if (clean(entry->link, target, e) < 0 || target[0] == 0) return err_set(e, 0, "a hard link to a name that can not be");
  OWN_FD from = unpack_parent(u, target, &last, false, e);
  if (from == -2) return err_set(e, 0, "a hard link to what does not exist");
  if (from < 0) return -1;
  bool there = fstatat(from, last, &st, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there && (unpack_copy_up(u, target, e) < 0 || fstatat(from, last, &st, AT_SYMLINK_NOFOLLOW) < 0)) return err_set(e, 0, "a hard link to what does not exist");
  if (S_ISDIR(st.st_mode)) return err_set(e, 0, "a hard link to a directory");
  if (fstatat(parent, name, &here, AT_SYMLINK_NOFOLLOW) == 0 && here.st_ino == st.st_ino && here.st_dev == st.st_dev) return 0; /* to itself, or told twice */
  if (tree_remove(parent, name, e) < 0) return -1;
  return linkat(from, last, parent, name, 0) < 0 ? err_set(e, errno, "make the hard link") : 0;
}

static int special(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, struct err *e) {
  mode_t type = entry->type == TAR_FIFO ? S_IFIFO : entry->type == TAR_CHARACTER ? S_IFCHR : S_IFBLK;
  if (type == S_IFCHR && entry->major == 0 && entry->minor == 0) return u->forged_marks++, 0; /* it would be a whiteout */
  if (tree_remove(parent, name, e) < 0) return -1;
  if (mknodat(parent, name, type | 0600, makedev(entry->major, entry->minor)) < 0) {
    if (errno != EPERM || type == S_IFIFO) return err_set(e, errno, "make the device");
    /* No user namespace may make devices: an empty file that nobody can open keeps the name. */
    u->skipped_devices++;
    OWN_FD fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
    return fd < 0 ? err_set(e, errno, "make a file for the device") : 0;
  }
  OWN_FD fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? err_set(e, errno, "open the device") : unpack_metadata(u, entry, parent, name, -1, e);
}

static int symbolic_link(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, struct err *e) {
  if (tree_remove(parent, name, e) < 0) return -1;
  if (symlinkat(entry->link, parent, name) < 0) return err_set(e, errno, "make the link");
  return unpack_metadata(u, entry, parent, name, -1, e);
}

/** The entry "." of many tars: only a directory may be the root (CVE-2021-29136). */
static int root_entry(struct unpack *u, const struct tar_entry *entry, struct err *e) {
  if (entry->type != TAR_DIRECTORY) return err_set(e, 0, "the root of a layer must be a directory");
  if (unpack_metadata(u, entry, u->root, ".", u->root, e) < 0) return -1;
  return unpack_later(u, ".", u->root, entry, e);
}

int unpack_entry(struct unpack *u, const struct tar_entry *entry, struct err *e) {
  char path[PATH_MAX];
  const char *name;
  if (entry->type == TAR_OTHER) return u->skipped_others++, 0;
  if (clean(entry->path, path, e) < 0) return -1;
  if (path[0] == 0) return root_entry(u, entry, e);
  int marker = u->over ? 0 : unpack_is_marker(u, path, e);
  if (marker != 0) return marker < 0 ? -1 : 0;
  OWN_FD parent = unpack_parent(u, path, &name, true, e);
  if (parent < 0) return -1;
  struct stat st;
  if (u->over && entry->type != TAR_DIRECTORY && fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
    return err_set(e, 0, "a directory is there, and this is none");
  switch (entry->type) {
    case TAR_FILE: return regular(u, entry, parent, name, e);
    case TAR_DIRECTORY: return make_directory(u, entry, path, parent, name, e);
    case TAR_HARD_LINK: return hard_link(u, entry, parent, name, e);
    case TAR_SYMLINK: return symbolic_link(u, entry, parent, name, e);
    default: return special(u, entry, parent, name, e);
  }
}
