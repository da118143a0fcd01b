/**
 * Layers are handed over as descriptors, so neither ':' in a path nor the length of an option string matters. Kernels
 * before 6.13 get "/proc/self/fd/N" for them, kernels before 6.5 get mount(2) with "3:4:5" seen from /proc/self/fd.
 *
 * Under the lowest layer lies one of our own, in memory, that holds only the places things are mounted on: an image
 * without /proc gets one, and neither its layers nor the container's upper directory know.
 */
#include "overlay.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "own.h"
#include "rootfs.h"
#include "sync.h"
#include "sys.h"

enum { SECURE_NO_SETUID_FIXUP = 1 << 2 };

struct layers {
  int fds[MAX_LAYERS + 1]; /* lower, top first, then our own */
  int count, upper, work;
  int users; /* the user namespace in which the layers' ids are to count, -1: they are as they are */
};

static void release(struct layers *l) {
  for (int i = 0; i < l->count; i++) close(l->fds[i]);
  own_close(&l->upper);
  own_close(&l->work);
}

static int directory(const char *path, const char *what, struct err *e) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? err_set(e, errno, "%s %s", what, path) : fd;
}

static int set_users(int tree, int users, struct err *e) {
  struct mount_attr_ attr = {.set = ATTR_IDMAP, .userns_fd = (uint64_t)users};
  return users >= 0 && sys_mount_setattr(tree, 0, &attr) < 0 ? err_set(e, errno, "shift the owners of a layer into the user namespace") : 0;
}

/** A directory becomes a mount of itself in which the ids that are stored stand for those of a user namespace. */
static int shift(int *fd, int users, struct err *e) {
  if (users < 0) return 0;
  OWN_FD tree = sys_open_tree(*fd, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH);
  if (tree < 0) return err_set(e, errno, "mount a layer");
  if (set_users(tree, users, e) < 0) return -1;
  if (sys_move_mount(tree, *fd) < 0) return err_set(e, errno, "mount a layer");
  close(*fd);
  *fd = own_give(&tree);
  return 0;
}

/** Overlayfs wants both on one mount: that of the directory which both are in. */
static int open_upper(struct layers *l, const struct spec *s, struct err *e) {
  if (l->users < 0)
    return (l->upper = directory(s->upper, "upper directory", e)) < 0 || (l->work = directory(s->work, "work directory", e)) < 0 ? -1 : 0;
  const char *upper = strrchr(s->upper, '/'), *work = strrchr(s->work, '/');
  size_t length = (size_t)(upper - s->upper);
  if (length != (size_t)(work - s->work) || strncmp(s->upper, s->work, length) != 0)
    return err_set(e, 0, "config: with a user namespace strata.overlay.upper and work must lie in one directory");
  char above[PATH_MAX];
  if (snprintf(above, sizeof above, "%.*s/", (int)length, s->upper) >= (int)sizeof above) return err_set(e, ENAMETOOLONG, "strata.overlay.upper");
  OWN_FD both = directory(above, "directory", e);
  if (both < 0 || shift(&both, l->users, e) < 0) return -1;
  l->upper = openat(both, upper + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  l->work = openat(both, work + 1, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return l->upper < 0 || l->work < 0 ? err_set(e, errno, "upper directory %s", s->upper) : 0;
}

static int add(struct layers *l, int fd) {
  if (fd >= 0) l->fds[l->count++] = fd;
  return fd;
}

/** Our own lowest layer; it covers the first layer's directory in this mount namespace, whose descriptor is open already. */
static int add_places(struct layers *l, const struct spec *s, const struct mount_sources *sources, struct err *e) {
  OWN_FD fs = sys_fsopen("tmpfs");
  if (fs < 0 || sys_fsconfig(fs, FSCONFIG_STRING, "mode", "0755", 0) < 0 || sys_fsconfig(fs, FSCONFIG_STRING, "size", "1m", 0) < 0 ||
      sys_fsconfig(fs, FSCONFIG_CREATE, NULL, NULL, 0) < 0)
    return err_set(e, errno, "make the layer of mount points");
  OWN_FD places = sys_fsmount(fs, 0);
  if (places < 0) return err_set(e, errno, "make the layer of mount points");
  if (mounts_make_places(places, s, sources, e) < 0 || set_users(places, l->users, e) < 0) return -1;
  if (sys_move_mount(places, l->fds[0]) < 0) return err_set(e, errno, "attach the layer of mount points");
  return add(l, own_give(&places));
}

static int open_layers(struct layers *l, const struct spec *s, const struct mount_sources *sources, struct err *e) {
  for (uint32_t i = 0; i < s->lower.count; i++)
    if (add(l, directory(s->lower.items[i], "layer", e)) < 0 || shift(&l->fds[i], l->users, e) < 0) return -1;
  if (s->upper != NULL && open_upper(l, s, e) < 0) return -1;
  /* The kernel takes 500; the lowest place is ours only where there is room for it. */
  return l->count < MAX_LAYERS ? (add_places(l, s, sources, e) < 0 ? -1 : 0) : 0;
}

/** What the kernel has to say about a file system context that failed, after our own words. */
static int context_error(int fs, int number, const char *what, struct err *e) {
  char said[256];
  ssize_t length = read(fs, said, sizeof said - 1);
  if (length <= 2) return err_set(e, number, "%s", what);
  said[length] = 0;
  said[strcspn(said, "\n")] = 0;
  return err_set(e, number, "%s (%s)", what, said + 2);
}

/** One directory by descriptor, or by the name that /proc gives it where the kernel wants a string. */
static int set_directory(int fs, const char *key, int fd) {
  if (sys_fsconfig(fs, FSCONFIG_FD, key, NULL, fd) == 0) return 0;
  if (errno != EINVAL && errno != EOPNOTSUPP) return -1;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return sys_fsconfig(fs, FSCONFIG_STRING, key, path, 0);
}

/** Off explicitly, whatever the module's defaults are: each of them leaves an upper directory that `diff` could not read. */
static const char *const options[][2] = {{"redirect_dir", "nofollow"}, {"metacopy", "off"}, {"index", "off"}};

/** -2: this kernel can not do it that way. */
static int mount_by_context(const struct layers *l, const struct spec *s, bool user, struct err *e) {
  OWN_FD fs = sys_fsopen("overlay");
  if (fs < 0) return errno == ENOSYS ? -2 : err_set(e, errno, "this kernel has no overlay file system for us");
  for (int i = 0; i < l->count; i++)
    if (set_directory(fs, "lowerdir+", l->fds[i]) < 0) return i == 0 && errno == EINVAL ? -2 : context_error(fs, errno, "add a layer", e);
  if (l->upper >= 0 && (set_directory(fs, "upperdir", l->upper) < 0 || set_directory(fs, "workdir", l->work) < 0))
    return context_error(fs, errno, "use the upper directory", e);
  for (size_t i = 0; l->upper >= 0 && i < sizeof options / sizeof options[0]; i++)
    if (sys_fsconfig(fs, FSCONFIG_STRING, options[i][0], options[i][1], 0) < 0) return context_error(fs, errno, options[i][0], e);
  if (s->volatile_upper && l->upper >= 0 && sys_fsconfig(fs, FSCONFIG_FLAG, "volatile", NULL, 0) < 0) return context_error(fs, errno, "volatile", e);
  if (user && sys_fsconfig(fs, FSCONFIG_FLAG, "userxattr", NULL, 0) < 0) return context_error(fs, errno, "userxattr", e);
  if (sys_fsconfig(fs, FSCONFIG_CREATE, NULL, NULL, 0) < 0) return context_error(fs, errno, "mount the layers", e);
  int mounted = sys_fsmount(fs, ATTR_NODEV);
  return mounted < 0 ? err_set(e, errno, "mount the layers") : mounted;
}

static int mount_by_string(const struct layers *l, const struct spec *s, bool user, struct err *e) {
  char text[4096], target[32];
  size_t used = (size_t)snprintf(text, sizeof text, "lowerdir=");
  for (int i = 0; i < l->count && used < sizeof text; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", i == 0 ? "" : ":", l->fds[i]);
  if (l->upper >= 0 && used < sizeof text)
    used += (size_t)snprintf(text + used, sizeof text - used, ",upperdir=%d,workdir=%d,redirect_dir=nofollow,metacopy=off,index=off%s",
                             l->upper, l->work, s->volatile_upper ? ",volatile" : "");
  if (user && used < sizeof text) used += (size_t)snprintf(text + used, sizeof text - used, ",userxattr");
  if (used >= sizeof text) return err_set(e, 0, "%d layers do not fit into mount(2)'s options", l->count);
  snprintf(target, sizeof target, "/proc/self/fd/%d", l->upper >= 0 ? l->upper : l->fds[0]);
  if (chdir("/proc/self/fd") < 0) return err_set(e, errno, "enter /proc/self/fd");
  int failed = mount("overlay", target, "overlay", MS_NODEV, text) < 0, number = errno;
  if (chdir("/") < 0 || failed) return err_set(e, number, "mount the layers");
  return open(s->upper != NULL ? s->upper : s->lower.items[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int overlay_mount(const struct spec *s, bool user, const struct mount_sources *sources, struct err *e) {
  struct layers l = {.upper = -1, .work = -1, .users = -1};
  int mounted = -1;
  if (open_layers(&l, s, sources, e) == 0) {
    mounted = s->classic_mount ? -2 : mount_by_context(&l, s, user, e);
    if (mounted == -2) mounted = mount_by_string(&l, s, user, e);
    else if (mounted >= 0 && sys_move_mount(mounted, l.upper >= 0 ? l.upper : l.fds[0]) < 0) {
      err_set(e, errno, "attach the layers");
      close(mounted);
      mounted = -1;
    }
  }
  release(&l);
  return mounted;
}

/** What overlayfs makes on behalf of whoever mounted it must have an owner that the shifted directories know: the namespace's root. */
static int become_their_root(const struct idmaps *maps, struct err *e) {
  uint32_t uid, gid;
  if (!idmap_outside(&maps->uid, 0, &uid) || !idmap_outside(&maps->gid, 0, &gid)) return err_set(e, 0, "config: the user namespace has no root: nobody is mapped to 0");
  if (prctl(PR_SET_SECUREBITS, SECURE_NO_SETUID_FIXUP) < 0) return err_set(e, errno, "keep capabilities");
  setfsgid(gid);
  setfsuid(uid);
  return 0;
}

/** In a mount namespace that nobody else sees and that ends with this process. */
static int mount_shifted(const struct spec *s, int users, struct err *e) {
  struct layers l = {.upper = -1, .work = -1, .users = users};
  struct mount_sources sources;
  int mounted = -1;
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return err_set(e, errno, "make a mount namespace");
  if (mounts_open(s, false, &sources, e) == 0 && open_layers(&l, s, &sources, e) == 0 && become_their_root(&s->maps, e) == 0)
    mounted = mount_by_context(&l, s, false, e);
  mounts_close(&sources);
  release(&l);
  return mounted == -2 ? err_set(e, 0, "this kernel can not lay layers whose owners are shifted") : mounted;
}

static int send_shifted(const struct spec *s, int users, int socket) {
  struct err e = {.status = ERR_SETUP};
  OWN_FD mounted = mount_shifted(s, users, &e);
  return sync_send(socket, mounted < 0 ? SYNC_ERROR : SYNC_READY, &e, mounted) < 0 ? ERR_SETUP : 0;
}

int overlay_mount_shifted(const struct spec *s, pid_t pid, struct err *e) {
  struct err said = {0};
  char path[48];
  int ends[2], mounted = -1;
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
  OWN_FD users = open(path, O_RDONLY | O_CLOEXEC);
  if (users < 0) return err_set(e, errno, "open %s", path);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(e, errno, "socketpair");
  pid_t child = fork();
  if (child == 0) _exit(send_shifted(s, users, ends[1]));
  close(ends[1]);
  enum sync_kind kind = child < 0 ? SYNC_END : sync_receive(ends[0], &said, &mounted);
  close(ends[0]);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  if (kind == SYNC_ERROR) return *e = said, -1;
  return mounted < 0 ? err_set(e, 0, "the layers could not be mounted") : mounted;
}
