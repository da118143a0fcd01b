/**
 * One poll loop. What is typed never waits inside a write: the monitor stops taking it when the container does, and then
 * it is the container's output that has to go on flowing.
 */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "contact.h"
#include "own.h"
#include "relay.h"
#include "state.h"
#include "sys.h"
#include "terminal.h"

enum { HELD_MILLISECONDS = 1000, DETACHED = -2, GOING_ON = -3 };

struct attached {
  int fd, signals, process;
  const struct attach_options *o;
  struct keys keys;
  struct inbox in;
  struct outbox out;
  struct terminal ours;
  bool gone[3]; /* nobody reads our standard output, our standard error */
  bool terminal, streams, reading, replaying; /* terminal: the container's; streams: the monitor has its standard streams */
};

static void say_size(struct attached *a) {
  unsigned short columns, rows;
  if (!a->terminal || !terminal_size(&columns, &rows)) return;
  char size[4] = {(char)(columns & 255), (char)(columns >> 8), (char)(rows & 255), (char)(rows >> 8)};
  outbox_add(&a->out, 'r', size, sizeof size);
}

static void hello(struct attached *a, const struct frame *f) {
  a->terminal = f->length > 0 && f->bytes[0] != 0;
  a->streams = f->length < 2 || f->bytes[1] != 0;
  a->reading = !a->o->no_stdin && a->streams;
  if (a->terminal && a->reading) terminal_raw(&a->ours);
  say_size(a);
}

static void pass_signal(struct attached *a) {
  struct signalfd_siginfo info;
  if (read(a->signals, &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGWINCH) say_size(a);
  else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE && a->process >= 0) sys_pidfd_send_signal(a->process, (int)info.ssi_signo);
}

/** Whoever read us has gone (`run ... | head`): the command would have had this signal from the pipe, had it been its own. */
static void reader_gone(struct attached *a, int to) {
  a->gone[to] = true;
  if (a->o->owns && a->process >= 0) sys_pidfd_send_signal(a->process, SIGPIPE);
}

/**
 * Our own reader may be slow: then we are, and the monitor decides what becomes of us. Signals are passed on meanwhile;
 * pieces of PIPE_BUF go into a pipe that is ready without waiting.
 */
static void show(struct attached *a, int to, const char *bytes, size_t length) {
  for (size_t at = 0; at < length && !a->gone[to];) {
    struct pollfd polled[2] = {{to, POLLOUT, 0}, {a->signals, POLLIN, 0}};
    if (poll(polled, 2, -1) < 0) continue;
    if (polled[1].revents != 0) pass_signal(a);
    if (polled[0].revents == 0) continue;
    ssize_t wrote = write(to, bytes + at, length - at < PIPE_BUF ? length - at : PIPE_BUF);
    if (wrote > 0) at += (size_t)wrote;
    else if (wrote < 0 && errno != EINTR && errno != EAGAIN) reader_gone(a, to);
  }
}

static int hear(struct attached *a, struct err *e) {
  struct frame f;
  int found;
  while ((found = inbox_next(&a->in, &f)) == 1) {
    inbox_drop(&a->in, &f);
    if (f.type == 'h') hello(a, &f);
    else if (f.type == 'p') a->replaying = false;
    else if (f.type == 'x' && f.length == 4) return (int)frame_u32(f.bytes);
    else if ((f.type == 'o' || f.type == 'e') && !a->replaying) show(a, f.type == 'o' ? 1 : 2, f.bytes, f.length);
    else if (f.type == 'n') return contact_not_started(&f, e);
  }
  return found < 0 ? err_set(e, 0, "the monitor said nothing that makes sense") : GOING_ON;
}

/** What is typed; DETACHED when that was the sequence. */
static int read_keys(struct attached *a) {
  char typed[16 << 10], passed[sizeof typed + KEYS_MOST];
  size_t count;
  ssize_t got = read(0, typed, sizeof typed);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return GOING_ON;
  if (got <= 0) {
    a->reading = false;
    if (a->o->ends_stdin || a->o->owns) outbox_add(&a->out, 'c', NULL, 0);
    return GOING_ON;
  }
  bool detach = a->terminal && keys_pass(&a->keys, typed, (size_t)got, passed, &count);
  if (a->terminal && count > 0) outbox_add(&a->out, 'i', passed, count);
  if (!a->terminal) outbox_add(&a->out, 'i', typed, (size_t)got);
  return detach ? DETACHED : GOING_ON;
}

static void release_keys(struct attached *a) {
  char held[KEYS_MOST];
  size_t count = keys_release(&a->keys, held);
  if (count > 0) outbox_add(&a->out, 'i', held, count);
}

static int turn(struct attached *a, struct err *e) {
  bool waiting = outbox_waiting(&a->out) > 0, typing = a->reading && !waiting;
  struct pollfd polled[3] = {{a->signals, POLLIN, 0}, {a->fd, (short)(POLLIN | (waiting ? POLLOUT : 0)), 0}, {typing ? 0 : -1, POLLIN, 0}};
  int result = GOING_ON, ready = poll(polled, 3, a->keys.matched > 0 ? HELD_MILLISECONDS : -1);
  if (ready == 0) release_keys(a);
  if (ready <= 0) return GOING_ON;
  if (polled[0].revents != 0) pass_signal(a);
  if (polled[1].revents & ~POLLOUT) {
    bool open = inbox_fill(&a->in, a->fd);
    if ((result = hear(a, e)) != GOING_ON) return result;
    if (!open) return err_set(e, 0, "the container's monitor died");
  }
  if (polled[2].revents != 0) result = read_keys(a);
  outbox_send(&a->out, a->fd);
  return result;
}

int attach_serve(int fd, const struct process *process, const struct attach_options *o, struct err *e) {
  sigset_t set;
  relay_held_signals(&set);
  OWN_FD signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  OWN_FD target = process_open(process);
  OWN_MEMORY struct attached *a = calloc(1, sizeof *a);
  if (a == NULL) return err_set(e, ENOMEM, "attach");
  *a = (struct attached){.fd = fd, .signals = signals, .process = target, .o = o, .keys = o->keys, .replaying = o->replay};
  fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
  if (o->replay) outbox_add(&a->out, 'p', NULL, 0);
  int result = GOING_ON;
  while (result == GOING_ON) result = turn(a, e);
  outbox_free(&a->out);
  terminal_restore(&a->ours);
  return result == DETACHED ? 0 : result;
}

int attach_main(const char *root, const char *id, const struct attach_options *o, struct err *e) {
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  int fd = home_open(&home, root, id, e) < 0 || state_read(&s, home.dir, e) < 0 ? -1 : contact_open(&home, e);
  if (fd >= 0 && s.status == STATUS_RESTARTING) {
    close(fd);
    fd = err_set(e, 0, "container %s is restarting: it does not run now", id);
  }
  relay_hold_signals();
  int result = fd < 0 ? -1 : attach_serve(fd, &s.process, o, e);
  own_close(&fd);
  state_free(&s);
  home_close(&home);
  return result;
}
