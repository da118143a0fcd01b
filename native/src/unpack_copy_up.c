/** A hard link to a file of a lower layer: the file is copied into this layer first, as a copy-up of overlayfs would. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "own.h"
#include "sys.h"
#include "unpack.h"

static void copy_attributes(int from, int to) {
  char names[4096], value[4096];
  ssize_t length = flistxattr(from, names, sizeof names);
  for (char *name = names; length > 0 && name < names + length; name += strlen(name) + 1) {
    ssize_t size = fgetxattr(from, name, value, sizeof value);
    if (size >= 0) fsetxattr(to, name, value, (size_t)size, 0);
  }
}

static int copy_body(int from, int to, off_t size, struct err *e) {
  for (off_t at = 0; at < size;) {
    ssize_t got = sendfile(to, from, &at, (size_t)(size - at < 1 << 20 ? size - at : 1 << 20));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return err_set(e, errno, "copy a file of a lower layer");
  }
  return 0;
}

int unpack_copy_up(struct unpack *u, const char *path, struct err *e) {
  struct stat st;
  int layer;
  const char *name;
  if (!lower_walk(&u->lower, path, &st, &layer) || !S_ISREG(st.st_mode)) return err_set(e, 0, "not below");
  OWN_FD from = sys_openat2(u->lower.fds[layer], path, O_RDONLY | O_NONBLOCK, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_);
  OWN_FD parent = unpack_parent(u, path, &name, true, e);
  if (from < 0 || parent < 0) return err_set(e, errno, "open a file of a lower layer");
  OWN_FD to = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (to < 0) return err_set(e, errno, "copy a file of a lower layer");
  u->bytes += st.st_size;
  if (u->bytes > u->options->max_bytes) return err_set(e, 0, "the layer unpacks to more than %lld bytes", (long long)u->options->max_bytes);
  struct timespec stamps[2] = {st.st_atim, st.st_mtim};
  if (copy_body(from, to, st.st_size, e) < 0) return -1;
  if (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0) return err_set(e, errno, "copy a file of a lower layer");
  copy_attributes(from, to);
  return futimens(to, stamps) < 0 ? err_set(e, errno, "copy a file of a lower layer") : 0;
}
