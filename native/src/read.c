/**
 * The path comes on standard input, for it need not be text. Links are not followed and nothing outside is reached: a
 * container may swap any part of the path while we look at it.
 */
#include "read.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "out.h"
#include "own.h"
#include "spawn.h"
#include "sys.h"

static int read_path(char path[PATH_MAX], struct err *e) {
  size_t length = 0;
  for (ssize_t got; length < PATH_MAX && (got = read(0, path + length, PATH_MAX - length)) != 0;) {
    if (got < 0) return err_set(e, errno, "read the path");
    length += (size_t)got;
  }
  if (length == 0 || length == PATH_MAX) return err_set(e, ENAMETOOLONG, "the path");
  path[length] = 0;
  return 0;
}

static int copy(int fd, int64_t offset, int64_t length, struct err *e) {
  char space[1 << 16];
  while (length > 0) {
    ssize_t got = pread(fd, space, length < (int64_t)sizeof space ? (size_t)length : sizeof space, offset);
    if (got < 0) return err_set(e, errno, "read the file");
    if (got == 0) return 0;
    for (ssize_t at = 0, put; at < got; at += put)
      if ((put = write(1, space + at, (size_t)(got - at))) < 0) return errno == EPIPE ? 0 : err_set(e, errno, "write the answer");
    offset += got;
    length -= got;
  }
  return 0;
}

static int work(void *argument, const struct idmaps *maps) {
  const struct read_options *o = argument;
  struct err e = {0};
  struct stat st;
  char path[PATH_MAX];
  (void)maps;
  OWN_FD root = open(o->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) err_set(&e, errno, "directory %s", o->root);
  if (root < 0 || read_path(path, &e) < 0) return out_error(2, &e), ERR_FAILED;
  OWN_FD fd = sys_openat2(root, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_ | RESOLVE_NO_XDEV_);
  if (fd < 0 || fstat(fd, &st) < 0) err_set(&e, errno, "open %s", path);
  else if (!S_ISREG(st.st_mode)) err_set(&e, 0, "%s is no regular file", path);
  else if (copy(fd, o->offset, o->length, &e) == 0) return 0;
  return out_error(2, &e), ERR_FAILED;
}

int read_main(const struct read_options *o, struct err *e) {
  struct read_options own = *o;
  return spawn_job(work, &own, e);
}
