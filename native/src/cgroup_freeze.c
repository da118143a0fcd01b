/** Freezing, signalling, waiting. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cgroup.h"
#include "cgroup_files.h"
#include "own.h"
#include "sys.h"

enum { FREEZE_MS = 10000, V1_ROUNDS = 2000, V1_NUDGE = 50, KILL_ROUNDS = 100, MAX_DEPTH = 64 };

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void sleep_ms(int milliseconds) { nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL); }

static int v2_freezer(const struct cgroup *c) {
  int dir = c->dirs[CGROUP_V2];
  return dir >= 0 && faccessat(dir, "cgroup.freeze", W_OK, AT_EACCESS) == 0 ? dir : -1;
}

bool cgroup_freezable(const struct cgroup *c) { return v2_freezer(c) >= 0 || c->dirs[CGROUP_FREEZER] >= 0; }

/** Waits for `key` of cgroup.events to be `wanted`; the kernel wakes us when the file changes. */
static bool await_event(int dir, const char *key, int64_t wanted, int milliseconds) {
  int64_t end = now_ms() + milliseconds;
  OWN_FD fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
  for (;;) {
    char text[256];
    if (fd >= 0) (void)!pread(fd, text, sizeof text, 0); /* what was read is what a change is measured against */
    int64_t found = cgroup_get_number(dir, "cgroup.events", key);
    if (found < 0) found = 0; /* it is removed: nothing is in it, nothing frozen */
    if (found == wanted || fd < 0) return found == wanted;
    int64_t left = end - now_ms();
    if (left <= 0) return false;
    poll(&(struct pollfd){.fd = fd, .events = POLLPRI}, 1, (int)left);
  }
}

static bool v1_state_is(int dir, const char *state) {
  char text[16];
  errno = 0;
  return cgroup_get(dir, "freezer.state", text, sizeof text) == 0 && strcmp(text, state) == 0;
}

/** What was thawed may have ended at once, and its cgroup with it. */
static bool gone(bool frozen) { return !frozen && (errno == ENOENT || errno == ENODEV); }

/** A process made while the others freeze can leave it at FREEZING for good; a moment of thaw gets it moving (as runc does). */
static int v1_freeze(int dir, bool frozen, struct err *e) {
  const char *state = frozen ? "FROZEN" : "THAWED";
  for (int round = 0; round < V1_ROUNDS; round++) {
    if (round % V1_NUDGE == V1_NUDGE - 1) {
      cgroup_put(dir, "freezer.state", "THAWED");
      sleep_ms(2);
    }
    if (cgroup_put(dir, "freezer.state", state) < 0) return gone(frozen) ? 0 : err_set(e, errno, "%s the container", frozen ? "freeze" : "thaw");
    if (v1_state_is(dir, state) || gone(frozen)) return 0;
    sleep_ms(round < 10 ? 1 : 5);
  }
  cgroup_put(dir, "freezer.state", "THAWED");
  return err_set(e, 0, "the container's processes do not freeze");
}

int cgroup_freeze(const struct cgroup *c, bool frozen, struct err *e) {
  int dir = v2_freezer(c);
  if (dir < 0 && c->dirs[CGROUP_FREEZER] >= 0) return v1_freeze(c->dirs[CGROUP_FREEZER], frozen, e);
  if (dir < 0) return err_set(e, 0, "the container has no cgroup to freeze");
  if (cgroup_put_number(dir, "cgroup.freeze", frozen) < 0) return gone(frozen) ? 0 : err_set(e, errno, "%s the container", frozen ? "freeze" : "thaw");
  if (await_event(dir, "frozen", frozen, FREEZE_MS)) return 0;
  cgroup_put_number(dir, "cgroup.freeze", 0);
  return err_set(e, 0, "the container's processes do not freeze");
}

bool cgroup_frozen(const struct cgroup *c) {
  int dir = v2_freezer(c);
  if (dir >= 0) return cgroup_get_number(dir, "cgroup.events", "frozen") == 1;
  return c->dirs[CGROUP_FREEZER] >= 0 && v1_state_is(c->dirs[CGROUP_FREEZER], "FROZEN");
}

/** Signals every process in a directory and below; gives how many there were. */
static int signal_tree(int dir, int signal_number, int depth) {
  int count = 0, copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int list = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  FILE *file = list < 0 ? NULL : fdopen(list, "r");
  OWN_DIR entries = copy < 0 ? NULL : fdopendir(copy);
  char line[24];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    pid_t pid = (pid_t)strtol(line, NULL, 10);
    if (pid > 0 && kill(pid, signal_number) == 0) count++; /* 0 stands for a process that we can not see */
  }
  if (file != NULL) fclose(file);
  for (struct dirent *d; depth < MAX_DEPTH && entries != NULL && (d = readdir(entries)) != NULL;) {
    if (d->d_type != DT_DIR || strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    OWN_FD below = openat(dir, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) count += signal_tree(below, signal_number, depth + 1);
  }
  return count;
}

static int any_dir(const struct cgroup *c) {
  static const enum cgroup_tree order[] = {CGROUP_V2, CGROUP_FREEZER, CGROUP_PIDS, CGROUP_MEMORY, CGROUP_CPU, CGROUP_CPUACCT};
  for (int i = 0; i < CGROUP_TREES; i++)
    if (c->dirs[order[i]] >= 0) return c->dirs[order[i]];
  return -1;
}

/** Without cgroup.kill (5.14): frozen, nothing new can be made between looking and killing; a v1 freezer's dead die when it thaws. */
static int kill_all(const struct cgroup *c, int dir, struct err *e) {
  if (dir == c->dirs[CGROUP_V2] && cgroup_put_number(dir, "cgroup.kill", 1) == 0) return 0;
  for (int round = 0; round < KILL_ROUNDS; round++) {
    struct err ignored;
    bool frozen = cgroup_freezable(c) && cgroup_freeze(c, true, &ignored) == 0;
    int count = signal_tree(dir, SIGKILL, 0);
    if (frozen && cgroup_freeze(c, false, e) < 0) return -1;
    if (count == 0 || cgroup_wait_empty(c, 50)) return 0;
  }
  return err_set(e, 0, "processes in the cgroup %.200s do not end", c->path);
}

int cgroup_signal(const struct cgroup *c, int signal_number, struct err *e) {
  int dir = any_dir(c);
  if (dir < 0) return err_set(e, 0, "the container has no cgroup");
  if (signal_number == SIGKILL) return kill_all(c, dir, e);
  signal_tree(dir, signal_number, 0);
  return 0;
}

long cgroup_oom_kills(const struct cgroup *c) {
  int64_t count = c->dirs[CGROUP_V2] < 0 ? -1 : cgroup_get_number(c->dirs[CGROUP_V2], "memory.events", "oom_kill");
  if (count < 0 && c->dirs[CGROUP_MEMORY] >= 0) count = cgroup_get_number(c->dirs[CGROUP_MEMORY], "memory.oom_control", "oom_kill");
  return count < 0 ? 0 : (long)count;
}

bool cgroup_wait_empty(const struct cgroup *c, int milliseconds) {
  int64_t end = now_ms() + milliseconds;
  if (c->dirs[CGROUP_V2] >= 0) return await_event(c->dirs[CGROUP_V2], "populated", 0, milliseconds);
  while (any_dir(c) >= 0 && signal_tree(any_dir(c), 0, 0) > 0) {
    if (now_ms() >= end) return false;
    sleep_ms(2);
  }
  return true;
}
