/** fork, exec, a file in memory for what goes in. */
#include "net_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own.h"

const char *tool_find(const char *name, char path[64]) {
  static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/local/bin"};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    snprintf(path, 64, "%s/%s", places[i], name);
    if (access(path, X_OK) == 0) return path;
  }
  return NULL;
}

static void become(const char *path, const char *const *argv, int input, int errors) {
  static char search[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin", locale[] = "LC_ALL=C", *environment[] = {search, locale, NULL};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (dup2(input, 0) < 0 || dup2(errors, 1) < 0 || dup2(errors, 2) < 0) _exit(127);
  execve(path, (char *const *)argv, environment);
  _exit(127);
}

int tool_run(const char *path, const char *const *argv, const char *input, struct err *e) {
  char said[400];
  int ends[2], status = 0;
  OWN_FD text = memfd_create("rules", MFD_CLOEXEC);
  if (text < 0 || write(text, input, strlen(input)) != (ssize_t)strlen(input) || lseek(text, 0, SEEK_SET) < 0) return err_set(e, errno, "run %s", path);
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
  pid_t pid = fork();
  if (pid == 0) become(path, argv, text, ends[1]);
  close(ends[1]);
  size_t used = 0;
  for (ssize_t got = 1; pid > 0 && got != 0;) {
    char rest[256];
    bool room = used < sizeof said - 1;
    got = read(ends[0], room ? said + used : rest, room ? sizeof said - 1 - used : sizeof rest);
    if (got < 0 && errno != EINTR) break;
    if (got > 0 && room) used += (size_t)got;
  }
  close(ends[0]);
  said[used] = 0;
  said[strcspn(said, "\n")] = 0;
  if (pid < 0) return err_set(e, errno, "run %s", path);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  return err_set(e, 0, "%s failed: %s", argv[0], said[0] == 0 ? "it said nothing" : said);
}
