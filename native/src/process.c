/** /proc/PID/stat and pidfds. */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "own.h"
#include "sys.h"

/** State letter and start time. The name in parentheses is the process's own to choose: the last ')' ends it. */
static bool read_stat(pid_t pid, char *state, int64_t *start) {
  char path[32], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  OWN_FD fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (length <= 0) return false;
  text[length] = 0;
  char *at = strrchr(text, ')');
  if (at == NULL || at[1] != ' ') return false;
  *state = at[2];
  at += 2;
  for (int field = 3; field < 22 && at != NULL; field++) at = strchr(at + 1, ' ');
  if (at == NULL) return false;
  *start = strtoll(at, NULL, 10);
  return true;
}

bool process_of(pid_t pid, struct process *p) {
  char state;
  p->pid = pid;
  return pid > 0 && read_stat(pid, &state, &p->start);
}

bool process_alive(const struct process *p) {
  char state;
  int64_t start;
  return p->pid > 0 && read_stat(p->pid, &state, &start) && start == p->start && state != 'Z' && state != 'X';
}

char process_state(pid_t pid) {
  char state;
  int64_t start;
  return pid > 0 && read_stat(pid, &state, &start) ? state : 0;
}

int process_open(const struct process *p) {
  OWN_FD fd = p->pid > 0 ? sys_pidfd_open(p->pid) : -1;
  /* Looked at only after we hold it: from here on the number can not come to mean another. */
  if (fd < 0 || !process_alive(p)) return errno = ESRCH, -1;
  return own_give(&fd);
}

pid_t process_behind(int pidfd) {
  char path[48], text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  OWN_FD fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (length <= 0) return -1;
  text[length] = 0;
  const char *at = strstr(text, "\nPid:");
  return at == NULL ? -1 : (pid_t)strtol(at + 5, NULL, 10);
}

void process_boot(char id[BOOT_ID]) {
  OWN_FD fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, id, BOOT_ID - 1);
  id[length > 0 ? length : 0] = 0;
  id[strcspn(id, "\n")] = 0;
}
