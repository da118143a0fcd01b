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
#include "health.h"
#include "init.h"
#include "own.h"
#include "self.h"
#include "state.h"
#include "sweep.h"
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
  bool kept;               /* nor removed, whatever was said at its beginning */
  bool last;               /* it is not started again, whatever its policy is */
  int wait_status;
  int64_t began;           /* when its command was started */
  struct again again;
  struct health health;
  uint16_t rows, columns;  /* of its terminal, as somebody said last */
  char bundle[PATH_MAX], score[SCORE]; /* score: oom_score_adj as we were born with it */
  char error[1024];        /* why the command could not be started */
  struct log log;
  struct clients clients;
  size_t waiting, taken;   /* of `input` */
  char input[FRAME_MOST];  /* for the container's stdin, which has not taken it yet */
};

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
  self_set_score(m->score);
  int result = pipes && make_streams(m, how.stdio, e) < 0 ? -1 : launch_spawn(m->l, &how, e);
  for (int i = 0; i < 3; i++) own_close(&how.stdio[i]);
  if (result < 0) return -1;
  self_let_go();
  if (launch_build(m->l, &how, e) < 0 || take_terminal(m, e) < 0) return -1;
  if (m->clients.listener < 0 && clients_listen(&m->clients, m->home->dir, e) < 0) return -1;
  return write_birth(m, e);
}

static void start(struct monitor *m, struct client *c) {
  struct err e = {.status = ERR_FAILED};
  c->asked_to_start = true;
  if (m->started || m->starting) {
    err_set(&e, 0, "container %s was started already", m->o->id);
    clients_answer_start(&m->clients, &e);
  } else if (sync_send(m->l->sync, SYNC_START, NULL, -1) < 0) {
    err_set(&e, errno, "start container %s", m->o->id);
    clients_answer_start(&m->clients, &e);
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
    clients_answer_start(&m->clients, &said);
  } else if (m->starting) {
    m->started = true;
    m->began = self_milliseconds();
    state_write_started(m->home->dir, &ignored);
    if (m->again.count > 0) state_write_again(m->home->dir, m->again.count, NULL, &ignored);
    clients_answer_start(&m->clients, NULL);
    health_begin(&m->health, &m->l->spec.health, m->began);
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

/** Whatever the container left open of ours. */
static void close_streams(struct monitor *m) {
  for (int i = 0; i < 3; i++)
    if (m->streams[i] >= 0) close_stream(m, i);
  m->waiting = m->taken = 0;
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

static void resize(struct monitor *m, const struct frame *f) {
  const unsigned char *b = (const unsigned char *)f->bytes;
  if (f->length != 4) return;
  m->columns = (uint16_t)(b[0] | b[1] << 8);
  m->rows = (uint16_t)(b[2] | b[3] << 8);
  if (m->l->master < 0) return;
  struct winsize size = {.ws_col = m->columns, .ws_row = m->rows};
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
  } else if (f->type == 'l') {
    m->last = true;
    m->kept |= f->length == 1 && f->bytes[0] != 0;
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

static bool is_paused(const struct monitor *m) {
  if (m->l->pid == 0) return false;
  return cgroup_freezable(&m->l->cgroup) ? cgroup_frozen(&m->l->cgroup) : sweep_stopped(m->l->pid);
}

static void hear_signals(struct monitor *m) {
  struct signalfd_siginfo info;
  while (read(m->signals, &info, sizeof info) == sizeof info) {
    int status;
    if (info.ssi_signo == SIGTERM) { /* the machine goes down */
      m->last = true;
      sys_pidfd_send_signal(m->l->pidfd, SIGTERM);
    }
    if (info.ssi_signo != SIGCHLD) continue;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (pid == m->l->pid) m->wait_status = status, m->ended = true;
      else health_reaped(&m->health, pid, status, self_milliseconds(), is_paused(m));
    }
  }
}

/** Comes back when something happened, after `most` milliseconds (-1: none), or when the health check wants something. */
static void turn(struct monitor *m, int64_t most) {
  enum { SIGNALS, SYNC, IN, OUT, ERR, HEALTH, CLIENTS };
  struct pollfd polled[CLIENTS + 1 + CLIENTS_MOST];
  bool hold = clients_hold(&m->clients), terminal = m->l->master >= 0;
  polled[SIGNALS] = (struct pollfd){m->signals, POLLIN, 0};
  polled[SYNC] = (struct pollfd){m->l->sync, POLLIN, 0};
  polled[IN] = (struct pollfd){m->waiting > 0 ? m->streams[0] : -1, POLLOUT, 0};
  for (int i = 1; i < 3; i++) polled[IN + i] = (struct pollfd){hold ? -1 : m->streams[i], POLLIN, 0};
  polled[HEALTH] = (struct pollfd){m->health.output, POLLIN, 0};
  int count = CLIENTS + clients_poll(&m->clients, polled + CLIENTS);
  int64_t check = health_wait(&m->health, self_milliseconds()), wait = check >= 0 && (most < 0 || check < most) ? check : most;
  int ready = poll(polled, (nfds_t)count, wait > INT_MAX ? INT_MAX : (int)wait);
  if (check >= 0) health_tick(&m->health, self_milliseconds(), is_paused(m));
  if (ready <= 0) return;
  if (polled[HEALTH].revents != 0) health_hear(&m->health);
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

/**
 * All processes of the container are dead when its pid 1 is. What they said is read to the end; where somebody outside
 * holds the other end (it was handed out through a socket) we wait for a moment, and do not listen for ever.
 */
static void drain(struct monitor *m) {
  int64_t end = self_milliseconds() + DRAIN_MOST_MILLISECONDS;
  for (int i = 1; i < 3; i++) {
    for (bool more = true; more && m->streams[i] >= 0;) {
      while (listen_to(m, i) && self_milliseconds() < end) continue;
      struct pollfd last = {m->streams[i], POLLIN, 0};
      more = m->streams[i] >= 0 && self_milliseconds() < end && poll(&last, 1, DRAIN_MILLISECONDS) > 0;
    }
  }
  log_finish(&m->log);
}

/** How this run ended. The stamp lies in `now`. */
static struct ending end_run(struct monitor *m, char now[STAMP]) {
  struct err ignored;
  if (m->starting) hear_of_start(m);
  health_end(&m->health);
  drain(m);
  stamp_now(now);
  struct ending ending = {.code = init_status(m->wait_status), .signal = WIFSIGNALED(m->wait_status) ? WTERMSIG(m->wait_status) : 0,
                          .oom = cgroup_oom_kills(&m->l->cgroup) > 0, .lost_lines = m->log.lost, .finished_at = now, .error = m->error[0] == 0 ? NULL : m->error};
  cgroup_remove(&m->l->cgroup, &ignored);
  network_close(&m->l->network); /* who starts next may want the same ports */
  return ending;
}

/** Who hears of it later is of another run. */
static void last_words(struct monitor *m, const struct ending *ending) {
  char status[4];
  frame_put_u32(status, (uint32_t)ending->code);
  clients_dismiss(&m->clients, 'x', status, sizeof status);
}

/** Everything anew from the bundle: layers, cgroups, network, streams. Who was attached has left. */
static int begin_again(struct monitor *m, struct err *e) {
  if (launch_read(m->l, m->bundle, e) < 0 || log_open(&m->log, &m->o->log, e) < 0) return -1;
  if (m->rows > 0 && m->columns > 0) m->l->spec.rows = m->rows, m->l->spec.columns = m->columns;
  m->ended = m->started = false;
  if (make(m, e) < 0) return -1;
  if (sync_send(m->l->sync, SYNC_START, NULL, -1) < 0) return err_set(e, errno, "start container %s", m->o->id);
  m->starting = true;
  return 0;
}

/** Between two runs there is nothing of the container but what it has written, and us. False: it was the last run. */
static bool rest(struct monitor *m, struct ending *ending, int64_t pause) {
  struct err e = {.status = ERR_SETUP};
  int64_t until = self_milliseconds() + pause;
  state_write_again(m->home->dir, m->again.count, ending, &e);
  last_words(m, ending);
  network_down(&m->l->network);
  close_streams(m);
  launch_free(m->l);
  m->l->pid = 0;
  /* At least once: what was sent while the run ended is heard before there is another. */
  for (int64_t left = 1; !m->last && left > 0;) {
    left = until - self_milliseconds();
    turn(m, left > 0 ? left : 0);
  }
  if (m->last) return false;
  e = (struct err){.status = ERR_SETUP};
  if (begin_again(m, &e) == 0) return true;
  launch_abandon(m->l);
  snprintf(m->error, sizeof m->error, "%s", e.text);
  *ending = (struct ending){.code = e.status == 0 ? ERR_SETUP : e.status, .finished_at = ending->finished_at, .error = m->error};
  return false;
}

/** One that could not be started, or was told to stop, is not started again. */
static int64_t pause_after(struct monitor *m, const struct ending *ending) {
  return m->last || !m->started ? -1 : again_after(&m->again, ending->code, self_milliseconds() - m->began);
}

static void bury(struct monitor *m, const struct ending *ending) {
  struct err ignored;
  state_write_ending(m->home->dir, ending, m->o->durable, &ignored);
  launch_free(m->l);
  if (m->o->leavings != NULL && !m->kept) {
    /* The state first: a record without one whose container is to be removed says so to whoever finds it. */
    home_remove(m->home, &ignored);
    leavings_remove(m->o->leavings);
    network_down(&m->l->network); /* who has it removed finds the machine as it was */
  } else {
    unlinkat(m->home->dir, "attach.sock", 0);
  }
  last_words(m, ending);
  network_down(&m->l->network);
  home_close(m->home); /* and with it the lock: who removes the container need not wait for those who still read */
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
  m = (struct monitor){.l = l, .home = home, .o = o, .streams = {-1, -1, -1}, .clients = {.listener = -1}, .log = {.dir = -1, .fd = -1},
                       .again = l->spec.again, .rows = (uint16_t)l->spec.rows, .columns = (uint16_t)l->spec.columns,
                       .health = {.root = home->root, .id = o->id, .dir = home->dir, .output = -1}};
  snprintf(m.bundle, sizeof m.bundle, "%s", l->bundle);
  self_keep_score(m.score);
  m.signals = self_signals();
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
  struct ending ending;
  char now[STAMP];
  for (int64_t pause = 0; pause >= 0;) {
    while (!m.ended) turn(&m, -1);
    ending = end_run(&m, now);
    pause = pause_after(&m, &ending);
    if (pause >= 0 && !rest(&m, &ending, pause)) break;
  }
  bury(&m, &ending);
  return 0;
}
