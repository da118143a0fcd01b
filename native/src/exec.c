/**
 * Four processes. The first is born in the container's cgroups and enters its namespaces; the second is born inside, makes
 * the third and goes, so that the third belongs to the container's pid 1: whatever is killed out here, no process of the
 * container waits for a parent outside, which would keep the whole container from ending. The third waits for the fourth,
 * the command, and tells us its status.
 */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "child.h"
#include "company.h"
#include "console.h"
#include "dev.h"
#include "exec_spec.h"
#include "init.h"
#include "join.h"
#include "launch.h"
#include "own.h"
#include "payload.h"
#include "relay.h"
#include "spawn.h"
#include "state.h"
#include "sync.h"
#include "sys.h"
#include "terminal.h"

enum { STATUS_MILLISECONDS = 2000 };

struct execution {
  const struct exec_options *o;
  struct spec spec;
  struct joining joining;
  struct cgroup cgroup;
  int master, command; /* pidfd of the command */
};

static int fail(int sync, struct err *e) {
  sync_send(sync, SYNC_ERROR, e, -1);
  return e->status;
}

/** Only the pipe, which is 0 from now on, what tells of signals, and the list of children are still ours. */
static int keep_probe(pid_t pid, int status_pipe, int signals, int children) {
  if (dup2(status_pipe, 0) < 0 || dup2(signals, 1) < 0 || (children >= 0 ? dup2(children, 2) : dup2(0, 2)) < 0) return ERR_SETUP;
  sys_close_range(3, ~0u, 0);
  int status = company_wait(pid, 1, 0);
  company_end(children >= 0 ? 2 : -1);
  if (status < 0) return ERR_SETUP;
  status = init_status(status);
  return write(0, &status, sizeof status) == sizeof status ? 0 : ERR_SETUP;
}

/** The third process: the terminal, which the container may have prepared (dev.c proves what it is), then the command. */
static int keep_company(struct execution *x, int sync, int status_pipe) {
  struct err e = {.status = ERR_SETUP};
  struct spec *s = &x->spec;
  int peer = -1, command = -1, status, children = -1, signals = -1;
  sigset_t all;
  if (s->terminal) {
    OWN_FD root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    OWN_FD master = root < 0 ? err_set(&e, errno, "open the container's root") : dev_terminal(root, (int)s->rows, (int)s->columns, &peer, &e);
    if (master < 0 || sync_send(sync, SYNC_TERMINAL, NULL, master) < 0) return fail(sync, &e);
  }
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  if (x->o->probe) {
    signal(SIGPIPE, SIG_IGN);
    children = company_adopt();
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    if ((signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) return err_set(&e, errno, "signalfd"), fail(sync, &e);
  }
  pid_t pid = spawn_namespaces(0, NULL, &command, &e);
  if (pid == 0) {
    struct child c = {.spec = s, .id = x->o->id, .sync = sync, .user = (x->joining.namespaces & CLONE_NEWUSER) != 0, .argv = x->o->argv, .outlives = true};
    _exit(payload_exec(&c, peer));
  }
  if (pid < 0 || sync_send(sync, SYNC_PROCESS, NULL, command) < 0 || init_drop(s, &e) < 0) {
    if (pid > 0 && x->o->probe) company_end(children);
    return fail(sync, &e);
  }
  if (x->o->probe) return keep_probe(pid, status_pipe, signals, children);
  if (dup2(status_pipe, 0) < 0) return ERR_SETUP;
  sys_close_range(1, ~0u, 0);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  status = init_status(status);
  return write(0, &status, sizeof status) == sizeof status ? 0 : ERR_SETUP;
}

/** The second process: its child loses its parent in here, and not out there. */
static int inside(struct execution *x, int sync, int status_pipe) {
  struct err e = {.status = ERR_SETUP};
  pid_t pid = fork();
  if (pid == 0) _exit(keep_company(x, sync, status_pipe));
  if (pid > 0) return 0;
  err_set(&e, errno, "fork");
  return fail(sync, &e);
}

/** The first process. Not to be looked into from the moment on in which somebody inside can see it (CVE-2016-9962). */
static int enter(struct execution *x, int sync, int status_pipe) {
  struct err e = {.status = ERR_SETUP};
  int fd;
  if (sync_receive(sync, &e, &fd) != SYNC_GO) return ERR_SETUP;
  e = (struct err){.status = ERR_SETUP};
  prctl(PR_SET_DUMPABLE, 0);
  if (join_enter(&x->joining, &e) < 0) return fail(sync, &e);
  init_rename(x->o->argv, "strata-exec");
  pid_t pid = fork();
  if (pid == 0) _exit(inside(x, sync, status_pipe));
  if (pid < 0) return err_set(&e, errno, "fork"), fail(sync, &e);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return 0;
}

/** Until the command runs. */
static int await_start(struct execution *x, int sync, struct err *e) {
  for (;;) {
    struct err said;
    int fd;
    enum sync_kind kind = sync_receive(sync, &said, &fd);
    if (kind == SYNC_TERMINAL && x->master < 0) x->master = fd;
    else if (kind == SYNC_PROCESS && x->command < 0) x->command = fd;
    else own_close(&fd);
    if (kind == SYNC_ERROR) return *e = said, -1;
    if (kind == SYNC_END) return x->command >= 0 ? 0 : err_set(e, 0, "the container ended before the command was started");
  }
}

static int start(struct execution *x, int status_pipe[2], struct err *e) {
  int ends[2], into = cgroup_clone_into(&x->cgroup), first = -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(e, errno, "socketpair");
  pid_t pid = spawn_namespaces(0, &into, &first, e);
  if (pid == 0) {
    close(ends[0]);
    close(status_pipe[0]);
    _exit(enter(x, ends[1], status_pipe[1]));
  }
  close(ends[1]);
  own_close(&status_pipe[1]);
  status_pipe[1] = -1;
  OWN_FD sync = ends[0];
  if (pid < 0) return -1;
  int result = cgroup_enter(&x->cgroup, pid, into >= 0, e);
  launch_raise_limits(&x->spec, pid);
  if (result == 0 && sync_send(sync, SYNC_GO, NULL, -1) < 0) result = err_set(e, errno, "enter the container");
  if (result == 0) result = await_start(x, sync, e);
  else sys_pidfd_send_signal(first, SIGKILL);
  own_close(&first);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return result;
}

static int follow(struct execution *x, int status_pipe, struct err *e) {
  int status = 0;
  pid_t pid = x->o->pid_file == NULL ? 0 : process_behind(x->command);
  if (launch_write_pid(x->o->pid_file, pid, e) < 0) return -1;
  if (x->o->console_socket != NULL && x->master >= 0) {
    if (console_hand_over(x->o->console_socket, x->master, e) < 0) return -1;
    own_close(&x->master);
    x->master = -1;
  }
  if (x->o->detach) return 0;
  relay(x->command, x->master);
  /* Who tells us lives inside: it can be stopped there, or killed, with the command or alone. Then a kill is what we know. */
  struct pollfd told = {status_pipe, POLLIN, 0};
  bool tells = poll(&told, 1, STATUS_MILLISECONDS) > 0 && read(status_pipe, &status, sizeof status) == sizeof status;
  return tells ? status & 255 : 128 + SIGKILL;
}

static int execute(struct execution *x, struct err *e) {
  int status_pipe[2];
  if (pipe2(status_pipe, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
  if (x->o->no_stdin) {
    OWN_FD null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0) return err_set(e, errno, "open /dev/null");
  }
  terminal_size_into(&x->spec);
  relay_hold_signals();
  int result = start(x, status_pipe, e) < 0 ? -1 : follow(x, status_pipe[0], e);
  for (int i = 0; i < 2; i++) own_close(&status_pipe[i]);
  return result;
}

static int judge(const struct state *s, const struct exec_options *o, const struct spec *spec, struct err *e) {
  if (s->status == STATUS_STOPPED) return err_set(e, 0, "container %s is stopped", o->id);
  if (s->status == STATUS_RESTARTING) return err_set(e, 0, "container %s is restarting: it does not run now", o->id);
  if (s->status == STATUS_PAUSED) return err_set(e, 0, "container %s is paused", o->id);
  if (!spec->terminal || !o->detach || o->console_socket != NULL) return 0;
  return err_set(e, 0, "a terminal that nobody holds: --detach with --tty needs --console-socket");
}

int exec_main(const struct exec_options *o, struct err *e) {
  struct execution x = {.o = o, .master = -1, .command = -1, .joining = {.pidfd = -1}};
  struct json_document process = {0};
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  size_t length = 0;
  int result = -1;
  e->status = ERR_SETUP;
  if (home_open(&home, o->root, o->id, e) == 0 && state_read(&s, home.dir, e) == 0) {
    OWN_MEMORY char *config = file_read(home.dir, "config.json", JSON_MAX_BYTES, &length);
    if (config == NULL) err_set(e, errno, "config.json of container %s", o->id);
    else if (exec_spec_read(&x.spec, &process, config, length, o, e) == 0 && judge(&s, o, &x.spec, e) == 0 && join_read(&x.joining, &s.process, e) == 0) {
      cgroup_open(&x.cgroup, s.cgroup == NULL ? "" : s.cgroup);
      x.spec.maps = x.joining.maps;
      result = execute(&x, e);
      cgroup_close(&x.cgroup);
    }
  }
  int *fds[] = {&x.master, &x.command, &x.joining.pidfd};
  for (int i = 0; i < 3; i++) own_close(fds[i]);
  spec_free(&x.spec);
  json_free(&process);
  state_free(&s);
  home_close(&home);
  if (result < 0 && e->status == 0) e->status = ERR_SETUP;
  return result;
}
