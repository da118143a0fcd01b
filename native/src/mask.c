/**
 * Masked and read-only paths. A file is covered by /dev/null, proved to be the null device (CVE-2025-31133); directories
 * share one empty read-only file system, of which each gets a clone.
 */
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "dev.h"
#include "mounts.h"
#include "own.h"
#include "rootfs.h"
#include "sys.h"

static bool passed_over(int number) { return number == ENOENT || number == ENOTDIR || number == EACCES; }

static int cover_directory(int place, int *empty, struct err *e) {
  static const char *const data[] = {"mode=0555", "nr_inodes=2", "size=4k"};
  if (*empty < 0) {
    *empty = mounts_new("tmpfs", data, 3, ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC, e);
    if (*empty < 0) return -1;
    return sys_move_mount(*empty, place) < 0 ? err_set(e, errno, "cover") : 0;
  }
  OWN_FD clone = sys_open_tree(*empty, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH);
  return clone < 0 || sys_move_mount(clone, place) < 0 ? err_set(e, errno, "cover") : 0;
}

static int cover_file(int place, int null, struct err *e) {
  /* It is the host's inode: read-only, so that nobody changes its mode or owner through this name. */
  struct mount_attr_ attr = {.set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NOEXEC};
  OWN_FD clone = sys_open_tree(null, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH);
  return clone < 0 || sys_mount_setattr(clone, 0, &attr) < 0 || sys_move_mount(clone, place) < 0 ? err_set(e, errno, "cover") : 0;
}

int mounts_mask(int root, const struct spec *s, struct err *e) {
  OWN_FD empty = -1;
  OWN_FD null = dev_host("/dev/null", makedev(1, 3), e);
  if (null < 0) return -1;
  for (uint32_t i = 0; i < s->masked.count; i++) {
    OWN_FD place = root_find(root, s->masked.items[i], 0);
    struct stat st;
    if (place < 0 && passed_over(errno)) continue;
    if (place < 0 || fstat(place, &st) < 0) return err_set(e, errno, "mask %s", s->masked.items[i]);
    if ((S_ISDIR(st.st_mode) ? cover_directory(place, &empty, e) : cover_file(place, null, e)) < 0)
      return err_in(e, "mask %s", s->masked.items[i]);
  }
  return 0;
}

int mounts_protect(int root, const struct spec *s, struct err *e) {
  for (uint32_t i = 0; i < s->read_only.count; i++) {
    struct mount_attr_ attr = {.set = ATTR_RDONLY};
    OWN_FD place = root_find(root, s->read_only.items[i], 0);
    if (place < 0 && passed_over(errno)) continue;
    if (place < 0) return err_set(e, errno, "write-protect %s", s->read_only.items[i]);
    OWN_FD clone = sys_open_tree(place, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH | AT_RECURSIVE);
    if (clone < 0 || sys_mount_setattr(clone, AT_RECURSIVE, &attr) < 0 || sys_move_mount(clone, place) < 0)
      return err_set(e, errno, "write-protect %s", s->read_only.items[i]);
  }
  return 0;
}
