/** The walk of what goes out; what comes in is unpack's work. */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "out.h"
#include "own.h"
#include "tar_write.h"
#include "unpack.h"

enum { MAX_DEPTH = 400 };

bool copy_is_meant(const char *const *args) { return strcmp(args[0], COPY_OUT) == 0 || strcmp(args[0], COPY_IN) == 0; }

/** What the kernel makes up, and is nobody's content. */
static bool kernels(int fd) {
  static const unsigned long made_up[] = {0x9fa0 /* proc */, 0x62656572 /* sysfs */, 0x27e0eb, 0x63677270 /* cgroup */, 0x1cd1 /* devpts */, 0x19800202 /* mqueue */};
  struct statfs fs;
  if (fstatfs(fd, &fs) < 0) return false;
  for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++)
    if ((unsigned long)fs.f_type == made_up[i]) return true;
  return false;
}

static int tree(struct tar_writer *w, int parent, const char *name, const char *path, int depth, struct err *e) {
  if (tar_write_entry(w, parent, name, path, e) < 0) return -1;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOTDIR || errno == ELOOP || errno == ENOENT ? 0 : err_set(e, errno, "open %.300s", path);
  if (depth == MAX_DEPTH) return close(fd), err_set(e, 0, "directories more than %d deep", MAX_DEPTH);
  bool skip = kernels(fd);
  OWN_DIR dir = fdopendir(fd);
  if (dir == NULL) return close(fd), err_set(e, errno, "list %.300s", path);
  for (struct dirent *d; !skip && (d = readdir(dir)) != NULL;) {
    char below[PATH_MAX];
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    if (snprintf(below, sizeof below, "%s/%s", path, d->d_name) >= (int)sizeof below) return err_set(e, ENAMETOOLONG, "%.300s", path);
    if (tree(w, dirfd(dir), d->d_name, below, depth + 1, e) < 0) return -1;
  }
  return 0;
}

/** "/a/b" is b in /a; "/a/b/", "/a/b/." and "/" are "." in themselves. */
static int copy_out(const char *path, struct err *e) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
  bool inside = *name == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
  if (strlen(path) >= sizeof folder) return err_set(e, ENAMETOOLONG, "copy");
  snprintf(folder, sizeof folder, "/%.*s", inside ? (int)strlen(path) : slash == NULL ? 0 : (int)(slash - path), path);
  OWN_FD parent = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct stat st;
  const char *own = inside ? "." : name;
  if (parent < 0 || fstatat(parent, own, &st, AT_SYMLINK_NOFOLLOW) < 0) return err_set(e, errno, "%.300s in the container", path);
  struct tar_writer *w = tar_write_open(1);
  if (w == NULL) return err_set(e, ENOMEM, "copy");
  int result = tree(w, parent, own, own, 0, e) < 0 ? -1 : tar_write_end(w, e);
  tar_write_close(w);
  return result;
}

int copy_main(const char *const *args, const struct idmaps *maps) {
  struct err e = {0};
  int result = args[1] == NULL ? err_set(&e, 0, "copy takes a path") : strcmp(args[0], COPY_OUT) == 0 ? copy_out(args[1], &e) : unpack_over(args[1], maps, &e);
  if (result < 0) out_error(2, &e);
  return result < 0 ? ERR_FAILED : 0;
}
