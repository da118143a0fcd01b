/** A signalfd loop after catatonit's: without it pid 1 would drop every signal that it has no handler for. */
#include "init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "caps.h"
#include "payload.h"
#include "seccomp.h"
#include "sync.h"
#include "sys.h"

int init_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int init_drop(const struct spec *s, struct err *e) {
  uint64_t kill = 1ULL << CAP_KILL_, alarm = 1ULL << CAP_WAKE_ALARM_;
  if (caps_bound(0, e) < 0 || caps_set(kill | alarm, kill, e) < 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return err_set(e, errno, "no_new_privs");
  return s->unconfined ? 0 : seccomp_install(e);
}

void init_rename(char **argv, const char *name) {
  prctl(PR_SET_NAME, name);
  for (int i = 0; argv != NULL && argv[i] != NULL; i++) memset(argv[i], 0, strlen(argv[i]));
}

static int reap(pid_t payload, int *status) {
  int found = 0, one;
  for (pid_t pid; (pid = waitpid(-1, &one, WNOHANG)) > 0;)
    if (pid == payload) *status = one, found = 1;
  return found;
}

static int serve(int signals, pid_t payload) {
  for (int status = 0;;) {
    struct signalfd_siginfo info;
    ssize_t got = read(signals, &info, sizeof info);
    if (got < 0 && errno != EINTR) return ERR_SETUP;
    if (got != sizeof info) continue;
    if (info.ssi_signo == SIGCHLD) {
      if (reap(payload, &status)) return init_status(status);
    } else if (info.ssi_signo != SIGTSTP && info.ssi_signo != SIGTTIN && info.ssi_signo != SIGTTOU) {
      kill(payload, (int)info.ssi_signo);
    }
  }
}

int init_main(struct child *c, int peer) {
  struct err e = {.status = ERR_SETUP};
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  int signals = signalfd(-1, &all, SFD_CLOEXEC);
  pid_t payload = signals < 0 ? -1 : fork();
  if (payload == 0) _exit(payload_exec(c, peer));
  if (payload < 0) err_set(&e, errno, "start the command");
  if (payload < 0 || init_drop(c->spec, &e) < 0) {
    sync_send(c->sync, SYNC_ERROR, &e, -1);
    return ERR_SETUP;
  }
  /* It holds its end of `sync` until we let go of ours: so it is still there, unless it is dead. */
  if (!c->outlives) prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct pollfd helper = {.fd = c->sync, .events = POLLIN};
  if (poll(&helper, 1, 0) > 0 && (helper.revents & POLLHUP)) return ERR_SETUP;
  if (dup2(signals, 0) < 0) return ERR_SETUP;
  sys_close_range(1, ~0u, 0); /* or a pipe's reader would wait for us, and the helper for the end of `sync` */
  /*
   * An ordinary user joins this process's namespaces (exec), for which it must be able to look into us: allowed now that
   * we hold nothing any more, and still to nobody inside, for whom we have a capability too many. Not where we got none.
   */
  if (c->outlives && caps_has(CAP_WAKE_ALARM_)) prctl(PR_SET_DUMPABLE, 1);
  return serve(0, payload);
}
