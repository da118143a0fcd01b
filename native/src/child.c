/** The order of RUNTIME: identity, mounts, devices, terminal, masks, pivot; then the payload, then pid 1. */
#include "child.h"

#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "dev.h"
#include "init.h"
#include "mounts.h"
#include "overlay.h"
#include "own.h"
#include "payload.h"
#include "rootfs.h"
#include "sync.h"
#include "sys.h"
#include "sysctl.h"

/** In a new user namespace the ids that we have are nobody's until we take some of ours. */
static int become_root(const struct child *c, struct err *e) {
  if (!c->user) return 0;
  if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) return err_set(e, errno, "become root of the user namespace");
  return 0;
}

/** Not with bind mounts of the host: then the host's later mounts below them are wanted too. */
static int own_mounts(const struct spec *s, struct err *e) {
  bool binds = false;
  for (int i = 0; i < s->mount_count; i++) binds |= s->mounts[i].type != NULL && strcmp(s->mounts[i].type, "bind") == 0;
  return mount(NULL, "/", NULL, MS_REC | (binds ? MS_SLAVE : MS_PRIVATE), NULL) < 0 ? err_set(e, errno, "take the mounts for ourselves") : 0;
}

/** Only now, because it begins where we stand, and the helper has just put us there. */
static int cgroup_namespace(const struct spec *s, struct err *e) {
  if ((s->namespaces & CLONE_NEWCGROUP_) == 0 || unshare(CLONE_NEWCGROUP_) == 0) return 0;
  return err_set(e, errno, "make a cgroup namespace");
}

static int names(const struct spec *s, struct err *e) {
  if (s->hostname != NULL && sethostname(s->hostname, strlen(s->hostname)) < 0) return err_set(e, errno, "set the host name");
  if (s->domainname != NULL && setdomainname(s->domainname, strlen(s->domainname)) < 0) return err_set(e, errno, "set the domain name");
  return 0;
}

static int loopback(const struct spec *s, struct err *e) {
  if ((s->namespaces & CLONE_NEWNET) == 0) return 0;
  OWN_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? err_set(e, errno, "bring the loopback interface up") : 0;
}

static int oom_score(const struct spec *s, struct err *e) {
  char text[16];
  if (s->oom_score == INT64_MIN) return 0;
  OWN_FD fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  int length = snprintf(text, sizeof text, "%d", (int)s->oom_score);
  if (fd >= 0 && write(fd, text, (size_t)length) == length) return 0;
  return errno == EACCES || errno == EPERM ? 0 : err_set(e, errno, "set oom_score_adj"); /* only root may lower it */
}

/** Layers that were laid outside, on any directory that there is; what it was is not seen again. */
static int attach_layers(int layers, struct err *e) {
  static const char *const places[] = {"/tmp", "/mnt", "/var"};
  OWN_FD place = -1;
  for (int i = 0; i < 3 && place < 0; i++) place = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
  return place < 0 || sys_move_mount(layers, place) < 0 ? err_set(e, errno, "attach the layers") : layers;
}

static int open_root(const struct child *c, const struct mount_sources *sources, struct err *e) {
  const struct spec *s = c->spec;
  if (c->layers >= 0) return attach_layers(c->layers, e);
  if (s->root == NULL) return overlay_mount(s, c->user, sources, e);
  struct mount_attr_ attr = {.set = ATTR_NODEV};
  OWN_FD place = open(s->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
  OWN_FD tree = place < 0 ? -1 : sys_open_tree(place, "", OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH | AT_RECURSIVE);
  if (tree < 0 || sys_mount_setattr(tree, 0, &attr) < 0 || sys_move_mount(tree, place) < 0) return err_set(e, errno, "root %s", s->root);
  return own_give(&tree);
}

/** The working directory is made where the image has none, as Docker does. */
static int working_directory(int root, const struct spec *s, struct err *e) {
  OWN_FD fd = root_find(root, s->cwd, 0);
  if (fd >= 0 || errno != ENOENT) return 0; /* what is wrong with it is said when it is entered */
  OWN_FD made = root_make_directory(root, s->cwd, e);
  return made < 0 ? -1 : 0;
}

/** Everything below the root, in the order in which one thing may cover another. */
static int furnish(struct child *c, int root, const struct mount_sources *sources, int *peer, struct err *e) {
  const struct spec *s = c->spec;
  bool own_dev;
  if (mounts_attach(root, s, c->user, sources, &own_dev, e) < 0 || (own_dev && dev_fill(root, c->user, e) < 0)) return -1;
  if (s->terminal) {
    OWN_FD master = dev_terminal(root, (int)s->rows, (int)s->columns, peer, e);
    if (master < 0 || dev_console(root, *peer, e) < 0) return -1;
    if (sync_send(c->sync, SYNC_TERMINAL, NULL, master) < 0) return err_set(e, errno, "hand the terminal over");
  }
  if (working_directory(root, s, e) < 0 || mounts_mask(root, s, e) < 0 || mounts_protect(root, s, e) < 0) return -1;
  struct mount_attr_ attr = {.set = ATTR_RDONLY};
  return s->readonly && sys_mount_setattr(root, 0, &attr) < 0 ? err_set(e, errno, "make the root read-only") : 0;
}

static int build(struct child *c, int *peer, struct err *e) {
  const struct spec *s = c->spec;
  struct mount_sources sources;
  if (become_root(c, e) < 0 || cgroup_namespace(s, e) < 0 || own_mounts(s, e) < 0 || names(s, e) < 0 || loopback(s, e) < 0 || sysctl_set(s, e) < 0 || oom_score(s, e) < 0) return -1;
  OWN_FD root = mounts_open(s, c->user, &sources, e) < 0 ? -1 : open_root(c, &sources, e);
  int result = root < 0 ? -1 : furnish(c, root, &sources, peer, e);
  mounts_close(&sources);
  return result < 0 ? -1 : root_pivot(root, e);
}

int child_main(struct child *c) {
  struct err e = {.status = ERR_SETUP};
  int peer = -1;
  if (sync_receive(c->sync, &e, &c->layers) != SYNC_GO) return ERR_SETUP; /* the helper could not write our maps and says so itself */
  e = (struct err){.status = ERR_SETUP};
  if (build(c, &peer, &e) < 0) {
    sync_send(c->sync, SYNC_ERROR, &e, -1);
    return e.status;
  }
  prctl(PR_SET_DUMPABLE, 0); /* nobody inside reads our memory or descriptors (CVE-2016-9962) */
  init_rename(c->argv, "strata-init");
  if (!c->spec->init) return payload_exec(c, peer);
  return init_main(c, peer);
}
