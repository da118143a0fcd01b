/**
 * /dev is a file system on which devices are dead (nodev); each of the six nodes is a mount of its own on which they are
 * not. So CAP_MKNOD inside a container makes names, never devices, also where no cgroup forbids it.
 *
 * Outside a user namespace the nodes are new ones: their mode and owner are the container's to change. Inside one they
 * are the host's inodes, and nothing here ever changes their mode or owner.
 */
#include "dev.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>

#include "mounts.h"
#include "own.h"
#include "rootfs.h"
#include "sys.h"

static const struct { const char *name; unsigned major, minor; } nodes[] = {
    {"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
static const struct { const char *name, *target; } links[] = {
    {"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"}};

int dev_host(const char *path, dev_t rdev, struct err *e) {
  OWN_FD fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) return err_set(e, errno, "%s", path);
  if (!S_ISCHR(st.st_mode) || st.st_rdev != rdev) return err_set(e, 0, "%s of this machine is not the device of that name", path);
  return own_give(&fd);
}

/** One node, as a mount that is attached nowhere yet. `store`: our own file system of nodes, -1 to take the host's. */
static int node(int store, size_t i, struct err *e) {
  char path[32];
  dev_t rdev = makedev(nodes[i].major, nodes[i].minor);
  OWN_FD source = -1;
  if (store < 0) {
    snprintf(path, sizeof path, "/dev/%s", nodes[i].name);
    source = dev_host(path, rdev, e);
    if (source < 0) return -1;
  } else {
    if (mknodat(store, nodes[i].name, S_IFCHR | 0666, rdev) < 0 || fchmodat(store, nodes[i].name, 0666, 0) < 0 ||
        (source = openat(store, nodes[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC)) < 0)
      return err_set(e, errno, "make /dev/%s", nodes[i].name);
  }
  int tree = sys_open_tree(source, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH);
  return tree < 0 ? err_set(e, errno, "bind /dev/%s", nodes[i].name) : tree;
}

static int place_file(int dev, const char *name, struct err *e) {
  int fd = openat(dev, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_RDONLY, 0644);
  return fd < 0 ? err_set(e, errno, "make /dev/%s", name) : fd;
}

int dev_fill(int root, bool user, struct err *e) {
  static const char *const data[] = {"mode=0755", "size=64k"};
  OWN_FD dev = root_find(root, "dev", O_DIRECTORY);
  if (dev < 0) return err_set(e, errno, "/dev");
  OWN_FD real = openat(dev, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OWN_FD store = -1;
  if (!user) {
    store = mounts_new("tmpfs", data, 2, ATTR_NOSUID | ATTR_NOEXEC, e);
    /* Attached on /dev for the moment of cloning: kernels before 6.15 clone nothing that is not attached. */
    if (store < 0 || sys_move_mount(store, dev) < 0) return store < 0 ? -1 : err_set(e, errno, "attach the device nodes");
  }
  for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
    OWN_FD tree = node(store, i, e);
    if (tree < 0) return -1;
    OWN_FD place = place_file(real, nodes[i].name, e);
    if (place < 0) return -1;
    if (sys_move_mount(tree, place) < 0) return err_set(e, errno, "attach /dev/%s", nodes[i].name);
  }
  if (store >= 0) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", store);
    if (umount2(path, MNT_DETACH) < 0) return err_set(e, errno, "take the device nodes off /dev");
  }
  for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
    if (symlinkat(links[i].target, real, links[i].name) < 0 && errno != EEXIST) return err_set(e, errno, "make /dev/%s", links[i].name);
  return 0;
}

/** Proves that `fd` is what a terminal of a devpts is (CVE-2025-52565). */
static int prove(int fd, unsigned major, struct err *e) {
  struct statfs fs;
  struct stat st;
  if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0) return err_set(e, errno, "the terminal");
  if (fs.f_type != 0x1cd1 || !S_ISCHR(st.st_mode) || major(st.st_rdev) != major) return err_set(e, 0, "/dev/pts of the container is not a devpts");
  return 0;
}

int dev_terminal(int root, int rows, int columns, int *peer, struct err *e) {
  OWN_FD master = sys_openat2(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_IN_ROOT_ | RESOLVE_NO_SYMLINKS_ | RESOLVE_NO_MAGICLINKS_);
  int unlock = 0;
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (master < 0) return err_set(e, errno, "open a terminal of the container");
  if (prove(master, 5, e) < 0) return -1;
  if (ioctl(master, TIOCSPTLCK, &unlock) < 0) return err_set(e, errno, "unlock the terminal");
  OWN_FD other = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (other < 0) return err_set(e, errno, "open the other side of the terminal");
  if (prove(other, 136, e) < 0) return -1;
  if (rows > 0 && columns > 0 && ioctl(master, TIOCSWINSZ, &size) < 0) return err_set(e, errno, "size the terminal");
  *peer = own_give(&other);
  return own_give(&master);
}

int dev_console(int root, int peer, struct err *e) {
  OWN_FD tree = sys_open_tree(peer, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH);
  OWN_FD console = root_make_file(root, "dev/console", e);
  if (console < 0) return -1;
  return tree < 0 || sys_move_mount(tree, console) < 0 ? err_set(e, errno, "attach /dev/console") : 0;
}
