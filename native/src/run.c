/** The helper's side of a foreground container. */
#include "run.h"

#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "child.h"
#include "init.h"
#include "out.h"
#include "own.h"
#include "relay.h"
#include "spawn.h"
#include "sync.h"
#include "sys.h"

static int read_config(const struct run_options *o, struct spec *s, struct err *e) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/config.json", o->bundle) >= (int)sizeof path) return err_set(e, ENAMETOOLONG, "bundle");
  OWN_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  OWN_MEMORY char *text = malloc(JSON_MAX_BYTES + 1);
  if (fd < 0 || text == NULL) return err_set(e, errno, "open %s", path);
  size_t length = 0;
  for (ssize_t got; length <= JSON_MAX_BYTES && (got = read(fd, text + length, JSON_MAX_BYTES + 1 - length)) != 0;) {
    if (got < 0) return err_set(e, errno, "read %s", path);
    length += (size_t)got;
  }
  return spec_read(s, text, length, e);
}

/** A relative root.path is relative to the bundle, by the specification. */
static int absolute_root(const struct run_options *o, struct spec *s, char space[PATH_MAX], struct err *e) {
  if (s->root == NULL || s->root[0] == '/') return 0;
  char bundle[PATH_MAX];
  if (realpath(o->bundle, bundle) == NULL) return err_set(e, errno, "bundle %s", o->bundle);
  if (snprintf(space, PATH_MAX, "%s/%s", bundle, s->root) >= PATH_MAX) return err_set(e, ENAMETOOLONG, "root.path");
  s->root = space;
  return 0;
}

static int choose_maps(struct spec *s, struct err *e) {
  if (s->has_maps && geteuid() == 0 && s->root == NULL)
    return err_set(e, 0, "config: layers in a user namespace that root makes: their owners and marks would be wrong; give root.path");
  if (s->has_maps) return 0;
  if (geteuid() != 0) {
    s->namespaces |= CLONE_NEWUSER;
    return idmaps_of_caller(&s->maps, e);
  }
  if (s->namespaces & CLONE_NEWUSER) return err_set(e, 0, "config: a user namespace without linux.uidMappings and linux.gidMappings");
  return 0;
}

/** The container's terminal has the size of ours from its first moment on. */
static void size_terminal(struct spec *s) {
  struct winsize size;
  if (!s->terminal || s->rows > 0 || s->columns > 0 || ioctl(0, TIOCGWINSZ, &size) < 0) return;
  s->rows = size.ws_row;
  s->columns = size.ws_col;
}

/** The kernel mounts one upper directory twice without a word and the result is undefined: one container at a time. */
static int lock_upper(const struct spec *s, struct err *e) {
  if (s->upper == NULL) return -1;
  int fd = open(s->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return err_set(e, errno, "upper directory %s", s->upper), -2;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return err_set(e, 0, "upper directory %s is in use by another container", s->upper), -2;
}

/** Hard limits are raised from out here, where we may be root; the child sets the limits themselves. */
static void raise_limits(const struct spec *s, pid_t pid) {
  for (int i = 0; i < s->rlimit_count; i++) {
    struct rlimit now;
    if (prlimit(pid, s->rlimits[i].resource, NULL, &now) < 0 || now.rlim_max >= s->rlimits[i].limit.rlim_max) continue;
    now.rlim_max = s->rlimits[i].limit.rlim_max;
    prlimit(pid, s->rlimits[i].resource, &now, NULL); /* refused without CAP_SYS_RESOURCE: then the old one stays */
  }
}

static void reply(int fd, const char *event, const char *key, int64_t number) {
  struct out o = {0};
  if (fd < 0) return;
  out_open(&o, '{');
  out_text(&o, "event", event);
  out_number(&o, key, number);
  out_close(&o, '}');
  out_flush(&o, fd);
  out_free(&o);
}

static int write_pid(const char *path, pid_t pid, struct err *e) {
  if (path == NULL) return 0;
  char text[16];
  int length = snprintf(text, sizeof text, "%d", (int)pid);
  OWN_FD fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  return fd < 0 || write(fd, text, (size_t)length) != length ? err_set(e, errno, "write %s", path) : 0;
}

/** Follows the child until the command runs: 0, or -1 with what went wrong. `*master` is the terminal, if there is one. */
static int await_start(int sync, int *master, struct err *e) {
  for (bool ready = false;;) {
    struct err said;
    int fd;
    enum sync_kind kind = sync_receive(sync, &said, &fd);
    if (kind == SYNC_TERMINAL && *master < 0) *master = fd;
    else if (fd >= 0) close(fd);
    if (kind == SYNC_READY) ready = true;
    if (kind == SYNC_ERROR) return *e = said, -1;
    if (kind == SYNC_END && ready) return 0;
    if (kind == SYNC_END) return err_set(e, 0, "the container's first process ended before it was complete");
  }
}

static int follow(const struct run_options *o, struct spec *s, pid_t pid, int pidfd, int sync, struct err *e) {
  OWN_FD master = -1;
  int status;
  bool mapped = (s->namespaces & CLONE_NEWUSER) == 0 || idmaps_write(&s->maps, pid, e) == 0;
  raise_limits(s, pid);
  bool started = mapped && write_pid(o->pid_file, pid, e) == 0 && sync_send(sync, SYNC_GO, NULL, -1) == 0 && await_start(sync, &master, e) == 0;
  close(sync);
  if (started) {
    reply(o->reply, "started", "pid", pid);
    relay(pidfd, master);
  } else {
    sys_pidfd_send_signal(pidfd, SIGKILL);
  }
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (!started) return -1;
  reply(o->reply, "exited", "status", init_status(status));
  return init_status(status);
}

static int run_container(const struct run_options *o, struct err *e) {
  struct spec s;
  char root[PATH_MAX];
  int result = -1, pidfd = -1, ends[2];
  e->status = ERR_SETUP;
  if (read_config(o, &s, e) < 0 || absolute_root(o, &s, root, e) < 0 || choose_maps(&s, e) < 0) return spec_free(&s), -1;
  size_terminal(&s);
  OWN_FD lock = lock_upper(&s, e);
  relay_hold_signals();
  if (lock != -2 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) err_set(e, errno, "socketpair");
  else if (lock != -2) {
    pid_t pid = spawn_namespaces(s.namespaces, &pidfd, e);
    if (pid == 0) {
      close(ends[0]);
      struct child c = {.spec = &s, .id = o->id, .sync = ends[1], .user = (s.namespaces & CLONE_NEWUSER) != 0, .argv = o->argv};
      _exit(child_main(&c));
    }
    close(ends[1]);
    if (pid > 0) result = follow(o, &s, pid, pidfd, ends[0], e);
    else close(ends[0]);
    own_close(&pidfd);
  }
  if (result < 0 && e->status == 0) e->status = ERR_SETUP;
  spec_free(&s);
  return result;
}

int run_main(const struct run_options *o, struct err *e) {
  int result = run_container(o, e);
  if (result >= 0 || o->reply < 0) return result;
  /* Standard error may be the person's terminal: whoever listens on the other descriptor words it better. */
  out_error(o->reply, e);
  return e->status;
}
