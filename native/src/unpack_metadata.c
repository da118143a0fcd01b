/** Owner, then mode (a new owner clears set-id bits), then attributes (a new owner clears capabilities), then times. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "own.h"
#include "sys.h"
#include "unpack.h"

enum { NOBODY = 65534, NAME_SIZE = 255, VALUE_SIZE = 65536 };

/** An id that this user namespace does not have becomes nobody, and root where there is no nobody. The index keeps the real one. */
static uint32_t mapped(const struct idmap *map, uint32_t id, bool *foreign) {
  if (idmap_has(map, id)) return id;
  *foreign = true;
  return idmap_has(map, NOBODY) ? NOBODY : 0;
}

static void owner(struct unpack *u, const struct tar_entry *entry, uint32_t *uid, uint32_t *gid) {
  bool foreign = false;
  *uid = entry->uid;
  *gid = entry->gid;
  if (u->maps == NULL) return;
  *uid = mapped(&u->maps->uid, entry->uid, &foreign);
  *gid = mapped(&u->maps->gid, entry->gid, &foreign);
  u->foreign_ids += foreign;
}

/** The name an attribute gets, NULL to drop it. Overlayfs's own are escaped, or an image could forge marks and redirects. */
static const char *attribute_name(struct unpack *u, const char *name, char space[NAME_SIZE + 32]) {
  if (strcmp(name, "security.selinux") == 0 || strcmp(name, "system.nfs4_acl") == 0 || name[0] == 0) return NULL;
  const char *prefixes[] = {"trusted.overlay.", "user.overlay."};
  for (int i = 0; i < 2; i++) {
    size_t length = strlen(prefixes[i]);
    if (strncmp(name, prefixes[i], length) != 0) continue;
    u->forged_marks++;
    snprintf(space, NAME_SIZE + 32, "%soverlay.%s", prefixes[i], name + length);
    return space;
  }
  return name;
}

static int attributes(struct unpack *u, const struct tar_entry *entry, int fd, const char *path, struct err *e) {
  for (int i = 0; i < entry->xattr_count; i++) {
    char space[NAME_SIZE + 32];
    const struct tar_xattr *x = &entry->xattrs[i];
    const char *name = strlen(x->name) > NAME_SIZE ? NULL : attribute_name(u, x->name, space);
    if (name == NULL || x->length > VALUE_SIZE) {
      u->skipped_xattrs++;
      continue;
    }
    if ((path == NULL ? fsetxattr(fd, name, x->value, x->length, 0) : setxattr(path, name, x->value, x->length, 0)) == 0) continue;
    /* ext4 says "no space" of a value that is merely too large for it: a short one means a full disk. */
    if ((errno == ENOSPC && x->length < 1024) || errno == EDQUOT || errno == EIO) return err_set(e, errno, "set attribute %.100s", name);
    u->skipped_xattrs++; /* not for us to set, or not on this file system: counted, and shown by who called */
  }
  return 0;
}

static void times(const struct tar_entry *entry, struct timespec to[2]) {
  to[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
  to[1] = (struct timespec){.tv_sec = (time_t)entry->seconds, .tv_nsec = (long)entry->nanoseconds};
}

/** Links, pipes, devices: by name in their parent, which follows nothing. Their attributes by the descriptor's name in /proc. */
static int by_name(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, struct err *e) {
  uint32_t uid, gid;
  struct timespec stamps[2];
  owner(u, entry, &uid, &gid);
  if (fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) return err_set(e, errno, "set the owner");
  if (entry->type != TAR_SYMLINK && fchmodat(parent, name, entry->mode, 0) < 0) return err_set(e, errno, "set the mode");
  if (entry->xattr_count > 0) u->skipped_xattrs += entry->xattr_count; /* the kernel allows next to none on these */
  times(entry, stamps);
  return utimensat(parent, name, stamps, AT_SYMLINK_NOFOLLOW) < 0 ? err_set(e, errno, "set the time") : 0;
}

int unpack_metadata(struct unpack *u, const struct tar_entry *entry, int parent, const char *name, int fd, struct err *e) {
  uint32_t uid, gid;
  struct timespec stamps[2];
  if (fd < 0) return by_name(u, entry, parent, name, e);
  owner(u, entry, &uid, &gid);
  if (fchown(fd, uid, gid) < 0) return err_set(e, errno, "set the owner");
  if (fchmod(fd, entry->mode) < 0) return err_set(e, errno, "set the mode");
  if (attributes(u, entry, fd, NULL, e) < 0) return -1;
  times(entry, stamps);
  return entry->type != TAR_DIRECTORY && futimens(fd, stamps) < 0 ? err_set(e, errno, "set the time") : 0;
}

int unpack_later(struct unpack *u, const char *path, int dir, const struct tar_entry *entry, struct err *e) {
  struct stat st;
  if (u->late_count == u->late_capacity) {
    size_t wanted = u->late_capacity * 2 + 64;
    struct late *grown = realloc(u->late, wanted * sizeof *grown);
    if (grown == NULL) return err_set(e, ENOMEM, "unpack");
    u->late = grown;
    u->late_capacity = wanted;
  }
  if (fstat(dir, &st) < 0) return err_set(e, errno, "look at a directory");
  struct late l = {.path = strdup(path), .device = st.st_dev, .inode = st.st_ino, .order = u->late_count, .implied = entry == NULL};
  if (l.path == NULL) return err_set(e, ENOMEM, "unpack");
  if (entry != NULL) l.seconds = entry->seconds, l.nanoseconds = entry->nanoseconds;
  u->late[u->late_count++] = l;
  return 0;
}

/** A directory that only deeper names imply looks as the one below it does, where that can be seen (LAYERS, rule 6). */
static int as_below(const struct unpack *u, const char *path, int fd, struct err *e) {
  struct stat st;
  int layer;
  bool root = strcmp(path, ".") == 0;
  if (u->lower.count == 0 || (!root && unpack_is_hidden(u, path))) return 0;
  if (root ? fstatat(u->lower.fds[0], "", &st, AT_EMPTY_PATH) < 0 : !lower_walk(&u->lower, path, &st, &layer) || !S_ISDIR(st.st_mode)) return 0;
  struct timespec stamps[2] = {{.tv_nsec = UTIME_OMIT}, st.st_mtim};
  if (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0 || futimens(fd, stamps) < 0)
    return err_set(e, errno, "give %.200s the look of the one below", path);
  return 0;
}

/** The last word about one directory; one that was replaced meanwhile is left alone. */
static int late_one(const struct unpack *u, const struct late *l, struct err *e) {
  struct stat st;
  OWN_FD fd = sys_openat2(u->root, l->path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_IN_ROOT_ | RESOLVE_NO_MAGICLINKS_);
  if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != l->device || st.st_ino != l->inode) return 0;
  if (l->implied) return as_below(u, l->path, fd, e);
  struct timespec stamps[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)l->seconds, .tv_nsec = (long)l->nanoseconds}};
  return futimens(fd, stamps) < 0 ? err_set(e, errno, "set the time of %.200s", l->path) : 0;
}

/** One directory's words together, what the tar said of it last. */
static int by_inode(const void *a, const void *b) {
  const struct late *x = a, *y = b;
  if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
  if (x->implied != y->implied) return x->implied ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

int unpack_late(struct unpack *u, struct err *e) {
  if (u->late_count > 0) qsort(u->late, u->late_count, sizeof *u->late, by_inode);
  for (size_t i = 0; i < u->late_count; i++)
    if ((i + 1 == u->late_count || u->late[i + 1].inode != u->late[i].inode) && late_one(u, &u->late[i], e) < 0) return -1;
  return 0;
}
