/** The walk of what goes out; what comes in is unpack's work. */
#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "out.h"
#include "own.h"
#include "tar_write.h"
#include "tree.h"
#include "unpack.h"

enum { MAX_DEPTH = 400 };

bool copy_is_meant(const char *const *args) {
  return strcmp(args[0], COPY_OUT) == 0 || strcmp(args[0], COPY_IN) == 0 || strcmp(args[0], COPY_FILL) == 0;
}

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

/** A tar goes from one process of ours to another: what either does with owners, links and attributes is done once, there. */
static int pour(const char *from, const char *into, const struct idmaps *maps, struct err *e) {
  char whole[PATH_MAX];
  int ends[2], status = 0;
  if (snprintf(whole, sizeof whole, "%s/.", from) >= (int)sizeof whole) return err_set(e, ENAMETOOLONG, "%.300s", from);
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
  pid_t pid = fork();
  if (pid == 0) {
    struct err said = {0};
    int result = dup2(ends[1], 1) < 0 || close(ends[0]) < 0 || close(ends[1]) < 0 ? err_set(&said, errno, "pipe") : copy_out(whole, &said);
    if (result < 0) out_error(2, &said);
    _exit(result < 0 ? ERR_FAILED : 0);
  }
  int input = dup2(ends[0], 0);
  for (int i = 0; i < 2; i++) close(ends[i]);
  int result = pid < 0 || input < 0 ? err_set(e, errno, "copy") : unpack_over(into, maps, e);
  dup2(1, 0); /* nobody reads any more; a descriptor 0 there is always */
  while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return result == 0 && status != 0 ? err_set(e, 0, "%.300s of the image can not be read", from) : result;
}

/** -1 with errno. */
static int is_empty(int dir) {
  int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OWN_DIR list = fd < 0 ? NULL : fdopendir(fd);
  if (list == NULL) return own_close(&fd), -1;
  for (struct dirent *d; (d = readdir(list)) != NULL;)
    if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0) return 0;
  return 1;
}

/**
 * One volume, whose folder is ours alone. Two containers that are made at once wait for each other; what somebody who was
 * killed began (`filling` is still there) is begun anew.
 */
static int fill(const char *path, const char *volume, const struct idmaps *maps, struct err *e) {
  char into[PATH_MAX];
  OWN_FD folder = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OWN_FD data = folder < 0 ? -1 : openat(folder, "_data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (data < 0 || flock(folder, LOCK_EX) < 0) return err_set(e, errno, "the volume for %.300s", path);
  OWN_FD from = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (from < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : err_set(e, errno, "%.300s of the image", path);
  bool again = faccessat(folder, "filling", F_OK, 0) == 0;
  if (again && tree_empty(data, e) < 0) return -1;
  if (!again && is_empty(data) != 1) return 0;
  OWN_FD mark = openat(folder, "filling", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (mark < 0 || snprintf(into, sizeof into, "%s/_data", volume) >= (int)sizeof into) return err_set(e, errno, "the volume for %.300s", path);
  if (pour(path, into, maps, e) < 0) return err_in(e, "the volume for %.300s", path);
  return unlinkat(folder, "filling", 0) < 0 ? err_set(e, errno, "the volume for %.300s", path) : 0;
}

static int fill_all(const char *const *pairs, const struct idmaps *maps, struct err *e) {
  for (; pairs[0] != NULL && pairs[1] != NULL; pairs += 2)
    if (fill(pairs[0], pairs[1], maps, e) < 0) return -1;
  return 0;
}

static int work(const char *const *args, const struct idmaps *maps, struct err *e) {
  if (args[1] == NULL) return err_set(e, 0, "copy takes a path");
  if (strcmp(args[0], COPY_FILL) == 0) return fill_all(args + 1, maps, e);
  return strcmp(args[0], COPY_OUT) == 0 ? copy_out(args[1], e) : unpack_over(args[1], maps, e);
}

int copy_main(const char *const *args, const struct idmaps *maps) {
  struct err e = {0};
  int result = work(args, maps, &e);
  if (result < 0) out_error(2, &e);
  return result < 0 ? ERR_FAILED : 0;
}
