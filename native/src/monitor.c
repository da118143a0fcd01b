/** One poll loop. Nothing in it waits for anybody: not for a client, not for the disk of the log, not for the container. */
#include "monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "clients.h"
#include "console.h"
#include "init.h"
#include "own.h"
#include "state.h"
#include "sync.h"
#include "sys.h"

enum { DRAIN_MILLISECONDS = 500, DRAIN_MOST_MILLISECONDS = 10000, LAST_WORDS_MILLISECONDS = 2000 };

struct monitor {
  struct launch *l;
  struct home *home;
  const struct monitor_options *o;
  int streams[3];          /* our ends of stdin, stdout, stderr; with a terminal 0 and 1 are its master. -1: none, or closed */
  int signals;
  bool starting, started, ended;
  int wait_status;
  char error[1024];        /* why the command could not be started */
  struct log log;
  struct clients clients;
  size_t waiting, taken;   /* of `input` */
  char input[FRAME_MOST];  /* for the container's stdin, which has not taken it yet */
};

static void blocked(sigset_t *set) {
  sigfillset(set);
  int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) sigdelset(set, ours[i]);
}

/** Our ends of new pipes into `m->streams`, the container's into `theirs`. */
static int make_streams(struct monitor *m, int theirs[3], struct err *e) {
  for (int i = 0; i < 3; i++) {
    int ends[2];
    if (i == 0 && m->o->no_stdin) {
      theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (theirs[0] < 0) return err_set(e, errno, "open /dev/null");
      continue;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
    m->streams[i] = ends[i == 0 ? 1 : 0];
    theirs[i] = ends[i == 0 ? 0 : 1];
    /* Ours alone: the flag belongs to this end and not to the pipe. */
    if (fcntl(m->streams[i], F_SETFL, O_NONBLOCK | (i == 0 ? O_WRONLY : O_RDONLY)) < 0) return err_set(e, errno, "pipe");
  }
  return 0;
}

/** From here on nothing holds on to what we were started with. */
static void let_go(void) {
  OWN_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3 && null >= 0; fd++) dup2(null, fd);
  /* The monitor is the last to go when memory runs out; only root may say so. After the container was made: not for it. */
  OWN_FD score = geteuid() == 0 ? open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC) : -1;
  if (score >= 0 && write(score, "-900", 4) < 0) return;
}

static int take_terminal(struct monitor *m, struct err *e) {
  int master = m->l->master;
  if (master < 0) return 0;
  if (m->o->console_socket != NULL) {
    int result = console_hand_over(m->o->console_socket, master, e);
    close(master);
    m->l->master = -1;
    return result;
  }
  if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0) return err_set(e, errno, "the terminal");
  m->streams[0] = m->streams[1] = master;
  return 0;
}

static int write_birth(struct monitor *m, struct err *e) {
  struct launch *l = m->l;
  struct birth b = {.id = m->o->id, .bundle = l->bundle, .cgroup = l->cgroup.path, .log = m->o->log.path, .tty = l->spec.terminal, .init = l->spec.init,
                    .warning = l->warning.text[0] == 0 ? NULL : l->warning.text, .config = &l->spec.document};
  if (!process_of(l->pid, &b.process) || !process_of(getpid(), &b.monitor)) return err_set(e, errno, "read /proc of the container");
  /* As it was at creation: what an exec may do is decided by it, and the bundle is not ours. */
  if (file_copy(m->home->dir, "config.json", l->config, l->config_length, e) < 0) return -1;
  return state_write(m->home->dir, &b, m->o->durable, e);
}

static int make(struct monitor *m, struct err *e) {
  struct launch_options how = {.id = m->o->id, .argv = m->o->argv, .stdio = {-1, -1, -1}, .waits = true, .outlives = true, .cgroups = true, .home = &m->home->dir};
  bool pipes = m->o->streams && !m->l->spec.terminal;
  int result = pipes && make_streams(m, how.stdio, e) < 0 ? -1 : launch_spawn(m->l, &how, e);
  for (int i = 0; i < 3; i++) own_close(&how.stdio[i]);
  if (result < 0) return -1;
  let_go();
  if (launch_build(m->l, &how, e) < 0 || take_terminal(m, e) < 0 || clients_listen(&m->clients, m->home->dir, e) < 0) return -1;
  return write_birth(m, e);
}

static void answer_start(struct monitor *m, const struct err *failed) {
  char bytes[8 + sizeof failed->text];
  for (int i = 0; i < m->clients.count; i++) {
    struct client *c = m->clients.all[i];
    if (!c->asked_to_start) continue;
    c->asked_to_start = false;
    if (failed == NULL) {
      clients_tell(c, 's', NULL, 0);
      continue;
    }
    frame_put_u32(bytes, (uint32_t)failed->status);
    frame_put_u32(bytes + 4, (uint32_t)failed->number);
    size_t length = strlen(failed->text);
    memcpy(bytes + 8, failed->text, length);
    clients_tell(c, 'n', bytes, 8 + length);
  }
}

static void start(struct monitor *m, struct client *c) {
  struct err e = {.status = ERR_FAILED};
  c->asked_to_start = true;
  if (m->started || m->starting) {
    err_set(&e, 0, "container %s was started already", m->o->id);
    answer_start(m, &e);
  } else if (sync_send(m->l->sync, SYNC_START, NULL, -1) < 0) {
    err_set(&e, errno, "start container %s", m->o->id);
    answer_start(m, &e);
  } else {
    m->starting = true;
  }
}

/** What the command says of its start: an error, or the end of the connection, which is that it runs. */
static void hear_of_start(struct monitor *m) {
  struct err said, ignored;
  int fd;
  enum sync_kind kind = sync_receive(m->l->sync, &said, &fd);
  own_close(&fd);
  if (kind != SYNC_ERROR && kind != SYNC_END) return;
  if (m->starting && kind == SYNC_ERROR) {
    snprintf(m->error, sizeof m->error, "%s", said.text);
    answer_start(m, &said);
  } else if (m->starting) {
    m->started = true;
    state_write_started(m->home->dir, &ignored);
    answer_start(m, NULL);
  }
  m->starting = false;
  own_close(&m->l->sync);
  m->l->sync = -1;
}

static void close_stream(struct monitor *m, int i) {
  int fd = m->streams[i];
  m->streams[i] = -1;
  if (m->streams[0] != fd && m->streams[1] != fd && fd != m->l->master) close(fd);
}

/** Into the container without waiting; what it does not take now stays, and no client is read that has more. */
static void feed(struct monitor *m) {
  while (m->taken < m->waiting) {
    ssize_t sent = write(m->streams[0], m->input + m->taken, m->waiting - m->taken);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) close_stream(m, 0);
    if (sent < 0) break;
    m->taken += (size_t)sent;
  }
  m->taken = m->waiting = 0;
}

static void resize(const struct monitor *m, const struct frame *f) {
  const unsigned char *b = (const unsigned char *)f->bytes;
  if (f->length != 4 || m->l->master < 0) return;
  struct winsize size = {.ws_col = (unsigned short)(b[0] | b[1] << 8), .ws_row = (unsigned short)(b[2] | b[3] << 8)};
  ioctl(m->l->master, TIOCSWINSZ, &size);
}

static bool handle(void *monitor, struct client *c, const struct frame *f) {
  struct monitor *m = monitor;
  bool input = f->type == 'i' || f->type == 'c';
  if (input && m->waiting > 0) return false;
  if (f->type == 'i' && m->streams[0] >= 0) {
    memcpy(m->input, f->bytes, f->length);
    m->waiting = f->length;
    m->taken = 0;
    feed(m);
  } else if (f->type == 'c' && m->streams[0] >= 0 && m->l->master < 0) {
    close_stream(m, 0);
  } else if (f->type == 'r') {
    resize(m, f);
  } else if (f->type == 'k' && f->length == 1) {
    if (f->bytes[0] > 0 && f->bytes[0] < 65) sys_pidfd_send_signal(m->l->pidfd, f->bytes[0]);
  } else if (f->type == 's') {
    start(m, c);
  }
  return true;
}

/** One piece of what the container says: true while there may be more. */
static bool listen_to(struct monitor *m, int stream) {
  char bytes[32 << 10];
  ssize_t got = read(m->streams[stream], bytes, sizeof bytes);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  if (got <= 0) return close_stream(m, stream), false; /* EIO: the terminal has no user any more */
  log_add(&m->log, stream - 1, bytes, (size_t)got);
  clients_output(&m->clients, stream == 1 ? 'o' : 'e', bytes, (size_t)got);
  return true;
}

static void hear_signals(struct monitor *m) {
  struct signalfd_siginfo info;
  while (read(m->signals, &info, sizeof info) == sizeof info) {
    int status;
    if (info.ssi_signo == SIGTERM) sys_pidfd_send_signal(m->l->pidfd, SIGTERM);
    if (info.ssi_signo != SIGCHLD) continue;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == m->l->pid) m->wait_status = status, m->ended = true;
  }
}

static void turn(struct monitor *m) {
  enum { SIGNALS, SYNC, IN, OUT, ERR, CLIENTS };
  struct pollfd polled[CLIENTS + 1 + CLIENTS_MOST];
  bool hold = clients_hold(&m->clients), terminal = m->l->master >= 0;
  polled[SIGNALS] = (struct pollfd){m->signals, POLLIN, 0};
  polled[SYNC] = (struct pollfd){m->l->sync, POLLIN, 0};
  polled[IN] = (struct pollfd){m->waiting > 0 ? m->streams[0] : -1, POLLOUT, 0};
  for (int i = 1; i < 3; i++) polled[IN + i] = (struct pollfd){hold ? -1 : m->streams[i], POLLIN, 0};
  int count = CLIENTS + clients_poll(&m->clients, polled + CLIENTS);
  if (poll(polled, (nfds_t)count, -1) < 0) return;
  if (polled[SYNC].revents != 0) hear_of_start(m);
  for (int i = 1; i < 3; i++)
    if (polled[IN + i].revents != 0) listen_to(m, i);
  if (terminal && m->streams[1] < 0) m->streams[0] = -1;
  const char hello[2] = {(char)terminal, (char)(m->streams[1] >= 0)};
  clients_serve(&m->clients, polled + CLIENTS, hello, handle, m);
  if (polled[IN].revents != 0 && m->streams[0] >= 0) feed(m);
  if (m->waiting > 0 && m->streams[0] < 0) m->waiting = m->taken = 0;
  if (m->waiting == 0) clients_go_on(&m->clients, handle, m);
  if (polled[SIGNALS].revents != 0) hear_signals(m);
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/**
 * All processes of the container are dead when its pid 1 is. What they said is read to the end; where somebody outside
 * holds the other end (it was handed out through a socket) we wait for a moment, and do not listen for ever.
 */
static void drain(struct monitor *m) {
  int64_t end = milliseconds() + DRAIN_MOST_MILLISECONDS;
  for (int i = 1; i < 3; i++) {
    for (bool more = true; more && m->streams[i] >= 0;) {
      while (listen_to(m, i) && milliseconds() < end) continue;
      struct pollfd last = {m->streams[i], POLLIN, 0};
      more = m->streams[i] >= 0 && milliseconds() < end && poll(&last, 1, DRAIN_MILLISECONDS) > 0;
    }
  }
  log_finish(&m->log);
}

static void bury(struct monitor *m) {
  struct err ignored;
  char now[STAMP], status[4];
  if (m->starting) hear_of_start(m);
  drain(m);
  stamp_now(now);
  int code = init_status(m->wait_status);
  struct ending ending = {.code = code, .signal = WIFSIGNALED(m->wait_status) ? WTERMSIG(m->wait_status) : 0, .oom = cgroup_oom_kills(&m->l->cgroup) > 0,
                          .lost_lines = m->log.lost, .finished_at = now, .error = m->error[0] == 0 ? NULL : m->error};
  cgroup_remove(&m->l->cgroup, &ignored);
  network_close(&m->l->network); /* who starts next may want the same ports */
  state_write_ending(m->home->dir, &ending, m->o->durable, &ignored);
  frame_put_u32(status, (uint32_t)code);
  for (int i = 0; i < m->clients.count; i++) clients_tell(m->clients.all[i], 'x', status, sizeof status);
  network_down(&m->l->network);
  unlinkat(m->home->dir, "attach.sock", 0);
  home_close(m->home); /* and with it the lock: who removes the container need not wait for those who still read */
  launch_free(m->l);
  clients_finish(&m->clients, LAST_WORDS_MILLISECONDS);
}

static void undo(struct monitor *m) {
  struct err ignored;
  launch_abandon(m->l);
  home_remove(m->home, &ignored);
  home_close(m->home);
}

int monitor_main(struct launch *l, struct home *home, const struct monitor_options *o, int report) {
  static struct monitor m; /* large, and nothing of it is needed twice */
  struct err e = {.status = ERR_SETUP};
  sigset_t set;
  m = (struct monitor){.l = l, .home = home, .o = o, .streams = {-1, -1, -1}, .clients = {.listener = -1}, .log = {.dir = -1, .fd = -1}};
  blocked(&set);
  sigprocmask(SIG_SETMASK, &set, NULL);
  m.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (m.signals < 0 || log_open(&m.log, &o->log, &e) < 0 || chdir("/") < 0 || make(&m, &e) < 0) {
    undo(&m);
    sync_send(report, SYNC_ERROR, &e, -1);
    return ERR_SETUP;
  }
  prctl(PR_SET_NAME, "strata-monitor");
  e = (struct err){.number = l->pid};
  sync_send(report, SYNC_READY, &e, -1);
  close(report);
  while (!m.ended) turn(&m);
  bury(&m);
  return 0;
}
