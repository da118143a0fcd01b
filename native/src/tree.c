/** Deep trees are made shallow: a directory that is not empty moves up to the top, where its turn comes again. */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "own.h"

static bool dots(const char *name) { return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)); }

/** A stream of a directory of which we may not be able to list the mode that it has (overlay's work/work is 000). */
static DIR *list(int parent, const char *name) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0) fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (dir == NULL && fd >= 0) close(fd);
  return dir;
}

/** 0 when gone, 1 when it is a directory that is not empty, -1. */
static int unlink_any(int parent, const char *name) {
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return -1;
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  return errno == ENOTEMPTY || errno == EEXIST ? 1 : -1;
}

/** Empties top/name of everything but moves: what can not be removed at once becomes another child of `top`. */
static int flatten(int top, const char *name, struct err *e) {
  static unsigned long counter;
  OWN_DIR dir = list(top, name);
  if (dir == NULL) return err_set(e, errno, "remove a directory");
  for (struct dirent *d; (d = readdir(dir)) != NULL;) {
    if (dots(d->d_name)) continue;
    int left = unlink_any(dirfd(dir), d->d_name);
    if (left < 0) return err_set(e, errno, "remove a file");
    if (left == 0) continue;
    char up[48];
    int moved;
    do {
      snprintf(up, sizeof up, ".strata-removed-%lu", counter++);
      struct stat st;
      moved = fstatat(top, up, &st, AT_SYMLINK_NOFOLLOW) == 0 ? -1 : renameat(dirfd(dir), d->d_name, top, up);
    } while (moved < 0 && (errno == 0 || errno == EEXIST || errno == ENOTEMPTY));
    if (moved < 0) return err_set(e, errno, "remove a directory");
  }
  return unlinkat(top, name, AT_REMOVEDIR) < 0 ? err_set(e, errno, "remove a directory") : 0;
}

int tree_empty(int top, struct err *e) {
  for (bool again = true; again;) {
    again = false;
    OWN_DIR dir = list(top, ".");
    if (dir == NULL) return err_set(e, errno, "list a directory to remove");
    for (struct dirent *d; (d = readdir(dir)) != NULL;) {
      if (dots(d->d_name)) continue;
      int left = unlink_any(top, d->d_name);
      if (left < 0) return err_set(e, errno, "remove a file");
      again = true; /* what moved up may lie before the place that we have read to */
      if (left > 0 && flatten(top, d->d_name, e) < 0) return -1;
    }
  }
  return 0;
}

int tree_remove(int parent, const char *name, struct err *e) {
  int left = unlink_any(parent, name);
  if (left < 0) return err_set(e, errno, "remove %.200s", name);
  if (left == 0) return 0;
  OWN_DIR dir = list(parent, name);
  if (dir == NULL) return err_set(e, errno, "remove %.200s", name);
  if (tree_empty(dirfd(dir), e) < 0) return -1;
  return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? err_set(e, errno, "remove %.200s", name) : 0;
}
