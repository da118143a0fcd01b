/** Which processes belong to a pid namespace is asked of /proc; what is made meanwhile is found by the next pass. */
#include "sweep.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "own.h"
#include "sys.h"

enum { PASSES = 200 };

/** The namespace that a process makes its children in: its own but for a moment in unshare. 0 when it can not be told. */
static ino_t namespace_of(const char *pid) {
  char path[64];
  struct stat st;
  snprintf(path, sizeof path, "/proc/%.20s/ns/pid", pid);
  return stat(path, &st) == 0 ? st.st_ino : 0;
}

/** Of a namespace inside the container's, too: its pid 1 is a child of somebody here. Told by the line NSpid, outermost first. */
static int depth_of(const char *pid) {
  char path[64], line[256];
  int depth = 0;
  snprintf(path, sizeof path, "/proc/%.20s/status", pid);
  FILE *file = fopen(path, "re");
  while (file != NULL && depth == 0 && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "NSpid:", 6) != 0) continue;
    for (char *at = line; (at = strchr(at, '\t')) != NULL; at++) depth++;
  }
  if (file != NULL) fclose(file);
  return depth;
}

static pid_t parent_of(pid_t pid, char *state) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  OWN_FD fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (got <= 0) return -1;
  text[got] = 0;
  char *after = strrchr(text, ')'); /* a name may hold anything */
  if (after == NULL || after[1] == 0) return -1;
  *state = after[2];
  return (pid_t)strtol(after + 3, NULL, 10);
}

/** In the namespace itself or below it: an ancestor of it is. */
static bool belongs(const char *name, ino_t wanted, int depth) {
  ino_t own = namespace_of(name);
  if (own == wanted) return true;
  if (own == 0 || depth_of(name) <= depth) return false;
  char state, text[16];
  pid_t pid = (pid_t)strtol(name, NULL, 10);
  for (int i = 0; i < 64 && (pid = parent_of(pid, &state)) > 1; i++) {
    snprintf(text, sizeof text, "%d", (int)pid);
    if (namespace_of(text) == wanted) return true;
  }
  return false;
}

struct pass {
  ino_t wanted;
  int depth, signal_number;
  bool stop;      /* only those that are not stopped yet count */
  int left;
};

static int pass(struct pass *p, struct err *e) {
  OWN_DIR dir = opendir("/proc");
  if (dir == NULL) return err_set(e, errno, "/proc");
  p->left = 0;
  for (struct dirent *d; (d = readdir(dir)) != NULL;) {
    char state = 0;
    if (d->d_name[0] < '0' || d->d_name[0] > '9' || !belongs(d->d_name, p->wanted, p->depth)) continue;
    pid_t pid = (pid_t)strtol(d->d_name, NULL, 10);
    if (parent_of(pid, &state) < 0 || state == 'Z' || state == 'X') continue;
    if (p->stop && (state == 'T' || state == 't')) continue;
    if (kill(pid, p->signal_number) == 0) p->left++;
  }
  return 0;
}

static int begin(struct pass *p, pid_t init, struct err *e) {
  char name[16];
  snprintf(name, sizeof name, "%d", (int)init);
  p->wanted = namespace_of(name);
  p->depth = depth_of(name);
  return p->wanted == 0 ? err_set(e, errno, "look at the container's first process") : 0;
}

int sweep_signal(pid_t init, int signal_number, struct err *e) {
  struct pass p = {.signal_number = signal_number};
  return begin(&p, init, e) < 0 ? -1 : pass(&p, e);
}

int sweep_stop(pid_t init, bool stopped, struct err *e) {
  struct pass p = {.signal_number = stopped ? SIGSTOP : SIGCONT, .stop = stopped};
  if (begin(&p, init, e) < 0) return -1;
  for (int i = 0; i < PASSES; i++) {
    if (pass(&p, e) < 0) return -1;
    if (!stopped || p.left == 0) return 0;
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
  return err_set(e, 0, "the container's processes do not stop");
}

/** Nobody inside can stop pid 1, and it is stopped with the others. */
bool sweep_stopped(pid_t init) {
  char state = 0;
  return parent_of(init, &state) >= 0 && state == 'T';
}
