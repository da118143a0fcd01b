/** The path rules of rootfs.h (CVE-2019-19921, CVE-2021-30465, CVE-2023-27561, CVE-2026-41579: an image that links /proc or /dev elsewhere). */
#include "rootfs.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "own.h"
#include "sys.h"

static bool below(const char *path, const char *top) {
  size_t length = strlen(top);
  return strncmp(path, top, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static uint64_t rules(const char *path) {
  while (*path == '/') path++;
  bool kernels = below(path, "proc") || below(path, "sys") || below(path, "dev");
  return RESOLVE_IN_ROOT_ | RESOLVE_NO_MAGICLINKS_ | (kernels ? RESOLVE_NO_SYMLINKS_ : 0u);
}

int root_find(int root, const char *path, int flags) {
  while (*path == '/') path++;
  return sys_openat2(root, *path == 0 ? "." : path, (uint64_t)(O_PATH | flags), 0, rules(path));
}

enum { MAX_LINKS = 20 };

static int make(int root, const char *path, bool file, int links, struct err *e);

/** Takes "." and ".." out of a path by their names; nothing is above the root. -1: too long. */
static int clamp(char *path) {
  char clean[PATH_MAX] = "";
  size_t used = 0;
  for (const char *at = path; *at != 0;) {
    while (*at == '/') at++;
    size_t length = strcspn(at, "/");
    bool up = length == 2 && memcmp(at, "..", 2) == 0;
    if (up) while (used > 0 && clean[--used] != '/') continue;
    else if (length > 0 && !(length == 1 && *at == '.')) {
      if (used + length + 2 > sizeof clean) return -1;
      clean[used++] = '/';
      memcpy(clean + used, at, length);
      used += length;
    }
    clean[used] = 0;
    at += length;
  }
  memcpy(path, clean, used + 1);
  return 0;
}

/** A link that leads nowhere: what it names is made, inside the root, as Docker does it ("/var/run" of an image without /run). */
static int follow(int root, const char *prefix, int parent, const char *name, bool directory, int links) {
  char target[PATH_MAX], path[2 * PATH_MAX];
  struct err ignored;
  ssize_t length = readlinkat(parent, name, target, sizeof target - 1);
  if (length <= 0 || links == 0) return errno = ENOENT, -1;
  target[length] = 0;
  const char *slash = strrchr(prefix, '/');
  snprintf(path, sizeof path, "%.*s/%s", target[0] == '/' || slash == NULL ? 0 : (int)(slash - prefix), prefix, target);
  int fd = clamp(path) < 0 ? -1 : make(root, path, !directory, links - 1, &ignored);
  if (fd < 0) errno = ENOENT;
  return fd;
}

/** Opens or makes one component; the parent is a descriptor, so nobody can swap it meanwhile. */
static int step(int root, const char *whole, size_t end, int parent, const char *name, bool directory, int links) {
  char prefix[PATH_MAX];
  memcpy(prefix, whole, end);
  prefix[end] = 0;
  int fd = root_find(root, prefix, directory ? O_DIRECTORY : 0);
  if (fd >= 0 || errno != ENOENT) return fd;
  if (directory) {
    if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST) return -1;
  } else {
    int made = openat(parent, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);
    if (made < 0 && errno != EEXIST) return -1;
    own_close(&made);
  }
  fd = root_find(root, prefix, directory ? O_DIRECTORY : 0);
  return fd >= 0 || errno != ENOENT ? fd : follow(root, prefix, parent, name, directory, links);
}

static int make(int root, const char *path, bool file, int links, struct err *e) {
  if (strlen(path) >= PATH_MAX) return err_set(e, ENAMETOOLONG, "%.60s", path);
  int parent = dup(root);
  if (parent < 0) return err_set(e, errno, "dup");
  for (const char *at = path; *at != 0;) {
    while (*at == '/') at++;
    size_t length = strcspn(at, "/");
    if (length == 0) break;
    char name[NAME_MAX + 1];
    bool last = at[length + strspn(at + length, "/")] == 0;
    if (length > NAME_MAX || (length == 2 && memcmp(at, "..", 2) == 0)) {
      close(parent);
      return err_set(e, length > NAME_MAX ? ENAMETOOLONG : EINVAL, "%.200s inside the container", path);
    }
    memcpy(name, at, length);
    name[length] = 0;
    int child = step(root, path, (size_t)(at - path) + length, parent, name, !(file && last), links);
    int number = errno;
    close(parent);
    if (child < 0) return err_set(e, number, "%.200s inside the container", path);
    parent = child;
    at += length;
  }
  return parent;
}

int root_make_directory(int root, const char *path, struct err *e) { return make(root, path, false, MAX_LINKS, e); }
int root_make_file(int root, const char *path, struct err *e) { return make(root, path, true, MAX_LINKS, e); }

int root_pivot(int root, struct err *e) {
  OWN_FD old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (old < 0 || fchdir(root) < 0) return err_set(e, errno, "enter the root file system");
  if (sys_pivot_root(".", ".") < 0) return err_set(e, errno, "pivot_root");
  /* Both roots lie at "/" now, the old one on top: made a slave first, so that taking it off reaches nobody else. */
  if (fchdir(old) < 0 || mount("", ".", NULL, MS_SLAVE | MS_REC, NULL) < 0) return err_set(e, errno, "cut off the old root");
  if (umount2(".", MNT_DETACH) < 0) return err_set(e, errno, "let go of the old root");
  return chdir("/") < 0 ? err_set(e, errno, "enter the new root") : 0;
}
