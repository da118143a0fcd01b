/** A subreaper with /proc/self/task/N/children: whatever daemon a probe starts, it is found here. */
#include "company.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "own.h"

enum { PROC_MAGIC = 0x9fa0, TRIES = 5000 };

int company_adopt(void) {
  char path[64];
  struct statfs fs;
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return -1;
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  OWN_FD children = open(path, O_RDONLY | O_CLOEXEC);
  /* The container may have put something else there. */
  return children < 0 || fstatfs(children, &fs) < 0 || fs.f_type != PROC_MAGIC ? -1 : own_give(&children);
}

static void kill_listed(int children) {
  char list[4096];
  ssize_t got = children < 0 ? 0 : pread(children, list, sizeof list - 1, 0);
  if (got <= 0) return;
  list[got] = 0;
  for (char *at = list, *end; ; at = end) {
    long pid = strtol(at, &end, 10);
    /* The last one may be cut short: there is another turn for it. */
    if (end == at || *end != ' ') return;
    if (pid > 1) kill((pid_t)pid, SIGKILL);
  }
}

void company_end(int children) {
  for (int i = 0; i < TRIES; i++) {
    kill_listed(children);
    pid_t gone;
    while ((gone = waitpid(-1, NULL, WNOHANG)) > 0) continue;
    if (gone < 0 && errno == ECHILD) return;
    if (children < 0) return;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

int company_wait(pid_t command, int signals, int told) {
  for (;;) {
    struct pollfd polled[2] = {{signals, POLLIN, 0}, {told, 0, 0}};
    struct signalfd_siginfo info;
    int status;
    if (poll(polled, 2, -1) < 0 && errno != EINTR) return -1;
    if (polled[0].revents != 0 && read(signals, &info, sizeof info) < 0 && errno != EAGAIN) return -1;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
      if (pid == command) return status;
    if (polled[1].revents != 0) return -1;
  }
}
