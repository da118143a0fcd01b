/** The steps of launch.h. */
#include "launch.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "child.h"
#include "files.h"
#include "net_share.h"
#include "overlay.h"
#include "own.h"
#include "spawn.h"
#include "sync.h"
#include "sys.h"

/** A relative root.path is relative to the bundle, by the specification. */
static int absolute_root(struct launch *l, struct err *e) {
  struct spec *s = &l->spec;
  if (s->root == NULL || s->root[0] == '/') return 0;
  if (snprintf(l->root, PATH_MAX, "%s/%s", l->bundle, s->root) >= PATH_MAX) return err_set(e, ENAMETOOLONG, "root.path");
  s->root = l->root;
  return 0;
}

static int choose_maps(struct spec *s, struct err *e) {
  if (s->has_maps) return 0;
  if (geteuid() != 0) {
    s->namespaces |= CLONE_NEWUSER;
    return idmaps_of_caller(&s->maps, e);
  }
  if (s->namespaces & CLONE_NEWUSER) return err_set(e, 0, "config: a user namespace without linux.uidMappings and linux.gidMappings");
  return 0;
}

/** The kernel mounts one upper directory twice without a word and the result is undefined: one container at a time. */
static int lock_upper(struct launch *l, struct err *e) {
  const char *upper = l->spec.upper;
  if (upper == NULL) return 0;
  l->upper_lock = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (l->upper_lock < 0) return err_set(e, errno, "upper directory %s", upper);
  return flock(l->upper_lock, LOCK_EX | LOCK_NB) == 0 ? 0 : err_set(e, 0, "upper directory %s is in use by another container", upper);
}

int launch_read(struct launch *l, const char *bundle, struct err *e) {
  memset(l, 0, sizeof *l);
  l->upper_lock = l->pidfd = l->sync = l->master = -1;
  for (int i = 0; i < CGROUP_TREES; i++) l->cgroup.dirs[i] = -1;
  if (realpath(bundle, l->bundle) == NULL) return err_set(e, errno, "bundle %s", bundle);
  OWN_FD dir = open(l->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
  l->config = dir < 0 ? NULL : file_read(dir, "config.json", JSON_MAX_BYTES, &l->config_length);
  if (l->config == NULL) return err_set(e, errno, "config.json of %s", l->bundle);
  return spec_read(&l->spec, l->config, l->config_length, e) < 0 || absolute_root(l, e) < 0 || choose_maps(&l->spec, e) < 0 || lock_upper(l, e) < 0 ? -1 : 0;
}

static bool wants_cgroups(const struct launch *l, const struct launch_options *o) {
  return o->cgroups || resources_any(&l->spec.resources) || l->spec.cgroups_path != NULL;
}

static int in_child(struct launch *l, const struct launch_options *o, int sync) {
  struct child c = {.spec = &l->spec, .id = o->id, .sync = sync, .user = (l->spec.namespaces & CLONE_NEWUSER) != 0, .argv = o->argv,
                    .waits = o->waits, .outlives = o->outlives};
  for (int fd = 0; fd < 3; fd++)
    if (o->stdio[fd] >= 0 && dup2(o->stdio[fd], fd) < 0) return ERR_SETUP;
  /* Where the sources of mounts that are no absolute paths begin, by the specification. */
  if (chdir(l->bundle) < 0) return ERR_SETUP;
  return child_main(&c);
}

int launch_spawn(struct launch *l, const struct launch_options *o, struct err *e) {
  const struct spec *s = &l->spec;
  int ends[2];
  if (wants_cgroups(l, o) && cgroup_create(&l->cgroup, o->id, s->cgroups_path, &s->resources, &l->warning, e) < 0) return -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(e, errno, "socketpair");
  for (int i = 0; i < CGROUP_TREES; i++) l->spec.cgroup_trees |= l->cgroup.dirs[i] >= 0 ? 1u << i : 0;
  int into = cgroup_clone_into(&l->cgroup);
  /* A cgroup namespace begins where its first process stands: the child makes that one itself, once it was placed. */
  int flags = s->namespaces & ~CLONE_NEWCGROUP_;
  bool shares = s->network != NULL && s->network->kind == NETWORK_CONTAINER;
  pid_t pid = shares ? share_spawn(s->network, flags, &into, &l->pidfd, e) : spawn_namespaces(flags, &into, &l->pidfd, e);
  if (pid == 0) {
    close(ends[0]);
    _exit(in_child(l, o, ends[1]));
  }
  close(ends[1]);
  l->sync = ends[0];
  if (pid < 0) return -1;
  l->pid = pid;
  if (cgroup_enter(&l->cgroup, pid, into >= 0, e) < 0) return -1;
  if ((s->namespaces & CLONE_NEWUSER) && !shares && idmaps_write(&s->maps, pid, e) < 0) return -1;
  launch_raise_limits(s, pid);
  return 0;
}

static int network(struct launch *l, const struct launch_options *o, struct err *e) {
  return network_up(&l->network, l->spec.network, l->pid, l->pidfd, o->home == NULL ? -1 : *o->home, &l->warning, e);
}

int launch_build(struct launch *l, const struct launch_options *o, struct err *e) {
  /* Root may have layers' owners shifted into a user namespace; nobody inside may. */
  bool shifted = l->spec.root == NULL && geteuid() == 0 && (l->spec.namespaces & CLONE_NEWUSER);
  OWN_FD layers = shifted ? overlay_mount_shifted(&l->spec, l->pid, e) : -1;
  if (shifted && layers < 0) return -1;
  if (!o->waits && network(l, o, e) < 0) return -1;
  if (sync_send(l->sync, SYNC_GO, NULL, layers) < 0) return err_set(e, errno, "let the container's first process go on");
  if (o->waits && network(l, o, e) < 0) return -1; /* while it lays its layers */
  for (bool ready = false;;) {
    struct err said;
    int fd;
    enum sync_kind kind = sync_receive(l->sync, &said, &fd);
    if (kind == SYNC_TERMINAL && l->master < 0) l->master = fd;
    else if (fd >= 0) close(fd);
    if (kind == SYNC_READY) ready = true;
    if (kind == SYNC_ERROR) return *e = said, -1;
    if (ready && (o->waits || kind == SYNC_END)) return 0;
    if (kind == SYNC_END) return err_set(e, 0, "the container's first process ended before it was complete");
  }
}

void launch_abandon(struct launch *l) {
  struct err ignored;
  if (l->pid > 0) {
    sys_pidfd_send_signal(l->pidfd, SIGKILL);
    while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  l->pid = 0;
  network_down(&l->network);
  cgroup_remove(&l->cgroup, &ignored);
}

void launch_free(struct launch *l) {
  spec_free(&l->spec);
  free(l->config);
  l->config = NULL;
  cgroup_close(&l->cgroup);
  int *fds[] = {&l->upper_lock, &l->pidfd, &l->sync, &l->master};
  for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
    own_close(fds[i]);
    *fds[i] = -1;
  }
}

void launch_raise_limits(const struct spec *s, pid_t pid) {
  for (int i = 0; i < s->rlimit_count; i++) {
    struct rlimit now;
    if (prlimit(pid, s->rlimits[i].resource, NULL, &now) < 0 || now.rlim_max >= s->rlimits[i].limit.rlim_max) continue;
    now.rlim_max = s->rlimits[i].limit.rlim_max;
    prlimit(pid, s->rlimits[i].resource, &now, NULL); /* refused without CAP_SYS_RESOURCE: then the old one stays */
  }
}

int launch_write_pid(const char *path, pid_t pid, struct err *e) {
  if (path == NULL) return 0;
  char text[16];
  int length = snprintf(text, sizeof text, "%d", (int)pid);
  OWN_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  return fd < 0 || write(fd, text, (size_t)length) != length ? err_set(e, errno, "write %s", path) : 0;
}
