/** One poll loop: signals to the container's pid 1, keys to its terminal, its output to ours. */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "own.h"
#include "sys.h"
#include "terminal.h"

struct relayed {
  int master;
  bool input_open;
  char keys[4096]; /* read from us, not yet taken by the container */
  size_t key_count, keys_sent;
};

void relay_held_signals(sigset_t *set) {
  sigfillset(set);
  /* Faults of our own must end us, and a stopped caller's terminal is the shell's business. */
  int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) sigdelset(set, ours[i]);
}

void relay_hold_signals(void) {
  sigset_t set;
  relay_held_signals(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

static void resize(const struct relayed *t) {
  struct winsize size;
  if (t->master >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(t->master, TIOCSWINSZ, &size);
}

static bool copy(int from, int to) {
  char bytes[16384];
  ssize_t got = read(from, bytes, sizeof bytes);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  for (ssize_t at = 0; at < got;) {
    ssize_t wrote = write(to, bytes + at, (size_t)(got - at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    at += wrote;
  }
  return got > 0;
}

/**
 * Keys never wait inside a write: a program that writes without reading would wait for us to take its output, and we
 * for it to take our keys.
 */
static void read_keys(struct relayed *t) {
  ssize_t got = read(0, t->keys, sizeof t->keys);
  if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) t->input_open = false;
  t->key_count = got > 0 ? (size_t)got : 0;
  t->keys_sent = 0;
}

static void send_keys(struct relayed *t) {
  ssize_t sent = write(t->master, t->keys + t->keys_sent, t->key_count - t->keys_sent);
  if (sent > 0) t->keys_sent += (size_t)sent;
  if (t->keys_sent == t->key_count || (sent < 0 && errno != EAGAIN && errno != EINTR)) t->key_count = t->keys_sent = 0;
}

static void pass_signal(int signals, int pidfd, const struct relayed *t) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGWINCH) resize(t);
  else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE) sys_pidfd_send_signal(pidfd, (int)info.ssi_signo);
}

/** What the container wrote before it ended is still in the terminal; a background process that holds it open is not waited for. */
static void drain(const struct relayed *t) {
  struct pollfd last = {.fd = t->master, .events = POLLIN};
  while (t->master >= 0 && poll(&last, 1, 0) > 0 && (last.revents & POLLIN) && copy(t->master, 1)) continue;
}

void relay(int pidfd, int master) {
  struct relayed t = {.master = master, .input_open = true};
  struct terminal ours = {0};
  sigset_t set;
  relay_held_signals(&set);
  OWN_FD signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (master >= 0) fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
  if (master >= 0) terminal_raw(&ours);
  resize(&t);
  for (;;) {
    bool waiting = t.key_count > 0;
    struct pollfd polled[4] = {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}, {t.master, (short)(POLLIN | (waiting ? POLLOUT : 0)), 0},
                               {t.master >= 0 && t.input_open && !waiting ? 0 : -1, POLLIN, 0}};
    if (poll(polled, 4, -1) < 0 && errno != EINTR) break;
    if (polled[1].revents != 0) pass_signal(signals, pidfd, &t);
    if (polled[2].revents & POLLOUT) send_keys(&t);
    if ((polled[2].revents & ~POLLOUT) != 0 && !copy(t.master, 1)) t.master = -1; /* its last user closed it */
    if (polled[3].revents != 0) read_keys(&t);
    if (polled[0].revents != 0) break;
  }
  drain(&t);
  terminal_restore(&ours);
}
