/** The steps of self.h. */
#include "self.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "own.h"

int self_signals(void) {
  sigset_t set;
  sigfillset(&set);
  int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) sigdelset(&set, ours[i]);
  sigprocmask(SIG_SETMASK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void self_let_go(void) {
  OWN_FD null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3 && null >= 0; fd++) dup2(null, fd);
  self_set_score("-900");
}

void self_keep_score(char score[SCORE]) {
  OWN_FD file = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  ssize_t got = file < 0 ? -1 : read(file, score, SCORE - 1);
  if (got <= 0) strcpy(score, "0");
  else score[got] = 0;
}

void self_set_score(const char *score) {
  OWN_FD file = geteuid() == 0 ? open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC) : -1;
  if (file >= 0 && write(file, score, strlen(score)) < 0) return;
}

int64_t self_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
