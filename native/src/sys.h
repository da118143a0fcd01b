/**
 * System calls, structures and constants that the oldest C library we build with does not name. Numbers above 423 are
 * the same on every architecture. Our own names, because a newer C library defines the usual ones.
 */
#ifndef STRATA_SYS_H
#define STRATA_SYS_H
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#define AT_NO_LINKS AT_SYMLINK_NOFOLLOW

#define RESOLVE_NO_XDEV_ 0x01
#define RESOLVE_NO_MAGICLINKS_ 0x02
#define RESOLVE_NO_SYMLINKS_ 0x04
#define RESOLVE_BENEATH_ 0x08
#define RESOLVE_IN_ROOT_ 0x10

#define OPEN_TREE_CLONE_ 1
#define OPEN_TREE_CLOEXEC_ O_CLOEXEC
#define MOVE_MOUNT_EMPTY_PATHS 0x44 /* F_EMPTY_PATH | T_EMPTY_PATH */
#define FSOPEN_CLOEXEC_ 1
#define FSMOUNT_CLOEXEC_ 1
enum { FSCONFIG_FLAG = 0, FSCONFIG_STRING = 1, FSCONFIG_FD = 5, FSCONFIG_CREATE = 6 };

#define ATTR_RDONLY 0x1u
#define ATTR_NOSUID 0x2u
#define ATTR_NODEV 0x4u
#define ATTR_NOEXEC 0x8u
#define ATTR_ATIME_MASK 0x70u
#define ATTR_NOATIME 0x10u
#define ATTR_STRICTATIME 0x20u
#define ATTR_NODIRATIME 0x80u
#define ATTR_IDMAP 0x00100000u

struct open_how_ {
  uint64_t flags, mode, resolve;
};
struct mount_attr_ {
  uint64_t set, clear, propagation, userns_fd;
};
struct clone_args_ {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

#define CLONE_NEWCGROUP_ 0x02000000
#define CLONE_PIDFD_ 0x00001000
#define CLONE_INTO_CGROUP_ 0x200000000ULL

static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how_ how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  return (int)syscall(437, dir, path, &how, sizeof how);
}
static inline int sys_open_tree(int dir, const char *path, unsigned flags) {
  return (int)syscall(428, dir, path, flags);
}
static inline int sys_move_mount(int from, int to) {
  return (int)syscall(429, from, "", to, "", MOVE_MOUNT_EMPTY_PATHS);
}
static inline int sys_fsopen(const char *type) { return (int)syscall(430, type, FSOPEN_CLOEXEC_); }
static inline int sys_fsconfig(int fs, unsigned command, const char *key, const void *value, int aux) {
  return (int)syscall(431, fs, command, key, value, aux);
}
static inline int sys_fsmount(int fs, unsigned attributes) {
  return (int)syscall(432, fs, FSMOUNT_CLOEXEC_, attributes);
}
static inline int sys_mount_setattr(int dir, unsigned flags, struct mount_attr_ *attributes) {
  return (int)syscall(442, dir, "", flags | AT_EMPTY_PATH, attributes, sizeof *attributes);
}
static inline int sys_clone3(struct clone_args_ *args) { return (int)syscall(435, args, sizeof *args); }
static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
  return (int)syscall(436, first, last, flags);
}
static inline int sys_pidfd_open(pid_t pid) { return (int)syscall(434, pid, 0); }
static inline int sys_pidfd_send_signal(int pidfd, int signal) {
  return (int)syscall(424, pidfd, signal, NULL, 0);
}
static inline int sys_pivot_root(const char *new_root, const char *old) {
  return (int)syscall(SYS_pivot_root, new_root, old);
}

#endif
