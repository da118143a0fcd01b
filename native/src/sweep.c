/**
 * One process of ours goes into the container's pid namespace and signals all others there at once: the kernel does that
 * under one lock, so nobody who forks meanwhile escapes. From outside no list of them could be complete.
 */
#include "sweep.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "join.h"
#include "own.h"
#include "sys.h"

enum { STOP_TRIES = 2000 };

static int wait_for(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

/** Enters and signals; the exit status is an errno. Nobody inside can look into it (CVE-2019-5736): it is not dumpable. */
static int enter(struct joining *j, int signal_number) {
  struct err e = {0};
  prctl(PR_SET_DUMPABLE, 0);
  j->namespaces &= CLONE_NEWUSER | CLONE_NEWPID;
  if (join_enter(j, &e) < 0) return e.number == 0 ? EPERM : e.number;
  pid_t inside = fork();
  if (inside < 0) return errno;
  if (inside > 0) return wait_for(inside);
  sys_close_range(3, ~0u, 0);
  /* Alone with pid 1 there is nobody to signal. */
  _exit(kill(-1, signal_number) == 0 || errno == ESRCH ? 0 : errno);
}

/** To everybody but pid 1, whom no signal from inside reaches; then to pid 1. */
static int signal_all(const struct process *init, int signal_number, struct err *e) {
  struct joining j;
  int number = 0;
  if (join_read(&j, init, e) < 0) return -1;
  OWN_FD pidfd = j.pidfd;
  if (signal_number != SIGKILL && (j.namespaces & CLONE_NEWPID)) {
    pid_t child = fork();
    if (child == 0) _exit(enter(&j, signal_number));
    number = child < 0 ? errno : wait_for(child);
  }
  if (number == 0 && sys_pidfd_send_signal(pidfd, signal_number) < 0) number = errno;
  return number == 0 ? 0 : err_set(e, number, "signal the container's processes");
}

int sweep_signal(pid_t init, int signal_number, struct err *e) {
  struct process process;
  if (!process_of(init, &process)) return err_set(e, 0, "the container is stopped");
  return signal_all(&process, signal_number, e);
}

int sweep_stop(pid_t init, bool stopped, struct err *e) {
  if (sweep_signal(init, stopped ? SIGSTOP : SIGCONT, e) < 0) return -1;
  for (int i = 0; i < STOP_TRIES; i++) {
    if (sweep_stopped(init) == stopped) return 0;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return err_set(e, 0, "the container's processes do not %s", stopped ? "stop" : "go on");
}

/** Nobody inside can stop pid 1, and it is stopped with the others. */
bool sweep_stopped(pid_t init) { return process_state(init) == 'T'; }
