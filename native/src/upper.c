/** moby's rule for one name: what differs, not what was copied up. */
#include "upper.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "overlay_marks.h"
#include "own.h"
#include "sys.h"

const char *upper_type(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "dir";
    case S_IFLNK: return "symlink";
    case S_IFCHR: return "char";
    case S_IFBLK: return "block";
    case S_IFIFO: return "fifo";
    default: return "socket";
  }
}

static bool same_time(const struct timespec *a, const struct timespec *b) {
  return a->tv_sec == b->tv_sec && (a->tv_nsec == b->tv_nsec || a->tv_nsec == 0 || b->tv_nsec == 0);
}

static ssize_t capability(int dir, const char *path, char value[64]) {
  char name[32];
  OWN_FD fd = sys_openat2(dir, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH_ | RESOLVE_NO_MAGICLINKS_);
  if (fd < 0) return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = getxattr(name, "security.capability", value, 64);
  return length < 0 ? 0 : length;
}

static bool same_capability(int parent, const char *name, int layer, const char *path) {
  char one[64], two[64];
  ssize_t length = capability(parent, name, one);
  return length == capability(layer, path, two) && memcmp(one, two, (size_t)length) == 0;
}

static unsigned differences(const struct stat *st, const struct stat *below) {
  unsigned why = 0;
  if ((st->st_mode & S_IFMT) != (below->st_mode & S_IFMT)) return WHY_TYPE;
  if (st->st_mode != below->st_mode) why |= WHY_MODE;
  if (st->st_uid != below->st_uid || st->st_gid != below->st_gid) why |= WHY_OWNER;
  if (S_ISDIR(st->st_mode)) return why;
  if (st->st_rdev != below->st_rdev) why |= WHY_DEVICE;
  if (st->st_size != below->st_size) why |= WHY_CONTENT;
  if (!same_time(&st->st_mtim, &below->st_mtim)) why |= WHY_TIME;
  return why;
}

/** A whiteout without device nodes: an empty file with the mark. */
static bool empty_whiteout(bool user, int parent, const char *name, const struct stat *st) {
  if (!S_ISREG(st->st_mode) || st->st_size != 0) return false;
  char value[2];
  OWN_FD fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  return fd >= 0 && fgetxattr(fd, MARK(user, "whiteout"), value, sizeof value) >= 0;
}

bool upper_opaque(const struct lower_stack *lower, int fd) {
  char value[2];
  return fgetxattr(fd, MARK(lower->user, "opaque"), value, sizeof value) == 1 && value[0] == 'y';
}

bool upper_redirected(const struct lower_stack *lower, int fd) { return fgetxattr(fd, MARK(lower->user, "redirect"), NULL, 0) > 0; }

int upper_look(const struct lower_stack *lower, const struct lower_view *view, int parent, const char *name, const char *path,
               struct upper_entry *entry, struct lower_view *own) {
  struct stat below;
  int layer = -1;
  *entry = (struct upper_entry){.layer = -1};
  own->count = 0;
  if (fstatat(parent, name, &entry->st, AT_SYMLINK_NOFOLLOW) < 0) return -1;
  bool there = view->count > 0 && lower_find(lower, view, path, &below, &layer, own);
  if (there) entry->layer = layer, entry->below = S_ISREG(below.st_mode) ? below.st_size : 0;
  entry->whiteout = mark_is_whiteout(&entry->st) || empty_whiteout(lower->user, parent, name, &entry->st);
  if (entry->whiteout) {
    if (there) entry->letter = 'D', entry->st = below;
    return own->count = 0, 0;
  }
  if (!there) return entry->letter = 'A', 0;
  entry->why = differences(&entry->st, &below);
  if (entry->why == 0 && S_ISREG(entry->st.st_mode) && !same_capability(parent, name, lower->fds[layer], path)) entry->why = WHY_XATTR;
  entry->letter = entry->why != 0 ? 'C' : 0;
  return 0;
}
