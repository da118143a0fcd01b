/** Everything here works with a monitor and without one: by pidfd, by cgroup, by the lock. */
#include "end.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cgroup.h"
#include "contact.h"
#include "network.h"
#include "own.h"
#include "state.h"
#include "sweep.h"
#include "sys.h"

enum { KILL_MILLISECONDS = 10000, LOCK_MILLISECONDS = 10000 };

static const struct { const char *name; int number; } signals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},     {"ABRT", SIGABRT},   {"IOT", SIGIOT},
    {"BUS", SIGBUS},   {"FPE", SIGFPE},     {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},   {"PIPE", SIGPIPE},
    {"ALRM", SIGALRM}, {"TERM", SIGTERM},   {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP},     {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU}, {"URG", SIGURG},     {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF},   {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"POLL", SIGIO},     {"PWR", SIGPWR},   {"SYS", SIGSYS},   {"STKFLT", 16},        {"CLD", SIGCHLD},
};

/** "RTMIN", "RTMIN+3", "RTMAX-2", by the kernel's numbers as container runtimes know them: 34 to 64. */
static int realtime(const char *name) {
  bool least = strncasecmp(name, "RTMIN", 5) == 0;
  if (!least && strncasecmp(name, "RTMAX", 5) != 0) return -1;
  if (name[5] == 0) return least ? 34 : 64;
  if (name[5] != (least ? '+' : '-') || name[6] < '0' || name[6] > '9') return -1;
  long away = strtol(name + 6, NULL, 10);
  return away > 30 ? -1 : (int)(least ? 34 + away : 64 - away);
}

int end_signal(const char *name) {
  char *end;
  long number = strtol(name, &end, 10);
  if (end != name) return *end == 0 && number > 0 && number < 65 ? (int)number : -1;
  if (strncasecmp(name, "SIG", 3) == 0) name += 3;
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    if (strcasecmp(name, signals[i].name) == 0) return signals[i].number;
  return realtime(name);
}

static int read_state(struct home *home, struct state *s, const char *root, const char *id, struct err *e) {
  if (home_open(home, root, id, e) < 0) return -1;
  return state_read(s, home->dir, e) < 0 ? err_in(e, "container %s", id) : 0;
}

static int signal_all(const struct state *s, int signal_number, struct err *e) {
  struct cgroup cgroup;
  cgroup_open(&cgroup, s->cgroup == NULL ? "" : s->cgroup);
  bool any = s->cgroup != NULL && s->cgroup[0] != 0;
  int result = any ? cgroup_signal(&cgroup, signal_number, e) : sweep_signal(s->process.pid, signal_number, e);
  cgroup_close(&cgroup);
  return result;
}

/** A frozen cgroup of version 1 lets nobody die. */
static int let_die(const struct state *s) {
  struct err ignored;
  struct cgroup cgroup;
  cgroup_open(&cgroup, s->cgroup == NULL ? "" : s->cgroup);
  if (cgroup_frozen(&cgroup)) cgroup_freeze(&cgroup, false, &ignored);
  cgroup_close(&cgroup);
  return 0;
}

static int send(const struct state *s, int signal_number, bool all, struct err *e) {
  if (s->status == STATUS_STOPPED) return err_set(e, 0, "container %s is stopped", s->id);
  OWN_FD process = process_open(&s->process);
  if (process < 0) return err_set(e, 0, "container %s is stopped", s->id);
  if (all) return signal_all(s, signal_number, e);
  if (sys_pidfd_send_signal(process, signal_number) < 0) return err_set(e, errno, "signal container %s", s->id);
  return signal_number == SIGKILL ? let_die(s) : 0;
}

/** That it is over, or ends by itself, is what was wanted. */
static int send_last(struct home *home, struct state *s, int signal_number, const struct end_how *how, struct err *e) {
  struct err ignored;
  if (s->status == STATUS_STOPPED) return send(s, signal_number, how->all, e);
  if (s->monitored) contact_last(home, how->keep, &ignored);
  state_free(s);
  if (state_read(s, home->dir, &ignored) < 0 || s->status == STATUS_RESTARTING || s->status == STATUS_STOPPED) return 0;
  return send(s, signal_number, how->all, e) == 0 || !process_alive(&s->process) ? 0 : -1;
}

int end_kill(const char *root, const char *id, int signal_number, const struct end_how *how, struct err *e) {
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  int result = read_state(&home, &s, root, id, e);
  if (result == 0) result = how->last ? send_last(&home, &s, signal_number, how, e) : send(&s, signal_number, how->all, e);
  state_free(&s);
  home_close(&home);
  return result;
}

static void await(int pidfd, int milliseconds) {
  struct pollfd end = {pidfd, POLLIN, 0};
  while (pidfd >= 0 && poll(&end, 1, milliseconds) < 0 && errno == EINTR) continue;
}

/**
 * The monitor tells, also of a container whose state goes with its end, and of the end of one run of several; without one,
 * the end of the container itself is all there is.
 */
static int await_end(struct home *home, struct state *s, struct err *e) {
  while (s->status != STATUS_STOPPED) {
    struct err ignored;
    int code = s->monitored ? contact_wait(home, &ignored) : -1;
    if (code >= 0) {
      state_free(s);
      if (state_read(s, home->dir, &ignored) < 0) *s = (struct state){0};
      if (s->ending.finished_at == NULL) s->ending = (struct ending){.code = code};
      return 0;
    }
    OWN_FD watched = process_open(s->monitored ? &s->monitor : &s->process);
    /* Whoever still reads the container's last words holds the monitor up, but not the exit file. */
    await(watched, 200);
    state_free(s);
    if (state_read(s, home->dir, e) < 0) return -1;
  }
  return 0;
}

int end_wait(const char *root, const char *id, struct err *e) {
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  struct out o = {0};
  int result = read_state(&home, &s, root, id, e) < 0 || await_end(&home, &s, e) < 0 ? -1 : 0;
  if (result == 0) {
    state_print_ending(&s, &o);
    result = out_flush(&o, 1) < 0 ? err_set(e, errno, "write the answer") : 0;
  }
  out_free(&o);
  state_free(&s);
  home_close(&home);
  return result;
}

/** Its first process dies, and with it all others. */
static void kill_it(const struct home *home, struct state *s) {
  struct err ignored;
  if (s->monitored && contact_last(home, true, &ignored) == 0) {
    /* It may have been started again meanwhile: that one dies. */
    state_free(s);
    if (state_read(s, home->dir, &ignored) < 0) return;
  }
  OWN_FD process = process_open(&s->process);
  if (process < 0) return;
  sys_pidfd_send_signal(process, SIGKILL);
  let_die(s);
  await(process, KILL_MILLISECONDS);
}

/** What a monitor that died could not tidy up. Otherwise it did, and the path may be somebody else's by now. */
static int remove_cgroups(const struct state *s, struct err *e) {
  struct cgroup cgroup;
  if (!s->orphaned || s->cgroup == NULL || s->cgroup[0] == 0) return 0;
  cgroup_open(&cgroup, s->cgroup);
  return cgroup_remove(&cgroup, e);
}

static int remove_complete(struct home *home, struct state *s, bool force, struct err *e) {
  if (s->status != STATUS_STOPPED && !force)
    return err_set(e, 0, "container %s is not stopped, it is %s; --force removes it all the same", s->id, status_name(s->status));
  if (s->status != STATUS_STOPPED) kill_it(home, s);
  if (home_lock(home, LOCK_MILLISECONDS, e) < 0) return -1;
  state_free(s);
  if (state_read(s, home->dir, e) < 0) return -1;
  if (s->status != STATUS_STOPPED) return err_set(e, EBUSY, "container %s does not die", s->id);
  if (s->reason != NULL) network_sweep(); /* nobody saw its end */
  return remove_cgroups(s, e) < 0 ? -1 : home_remove(home, e);
}

/** Half made, or damaged. While somebody holds the lock it is being made, and may be whole a moment later. */
static int remove_half(struct home *home, struct state *s, struct err *e) {
  for (int waited = 0; waited < LOCK_MILLISECONDS; waited += 20) {
    if (home_lock(home, 20, e) == 0) return home_remove(home, e);
    state_free(s);
    if (state_read(s, home->dir, e) == 0) return remove_complete(home, s, true, e);
  }
  return err_set(e, 0, "container %s is in the hands of another process", home->id);
}

int end_delete(const char *root, const char *id, bool force, struct err *e) {
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  if (home_open(&home, root, id, e) < 0) return force && e->number == ENOENT ? 0 : -1;
  int result;
  if (state_read(&s, home.dir, e) == 0) result = remove_complete(&home, &s, force, e);
  else if (force) result = remove_half(&home, &s, e);
  else result = err_in(e, "container %s is not complete; --force removes what is there", id);
  state_free(&s);
  home_close(&home);
  return result;
}
