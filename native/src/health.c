/**
 * The probe is our own `exec`, as a process of its own, so that nothing of it waits here. When it is killed the command
 * is, with everything that it has started: `exec --probe` sees to that from inside the container.
 */
#include "health.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"
#include "own.h"
#include "sys.h"

enum { WORDS_MOST = 4096 };

static const char *status(const struct health *h) { return h->healthy ? "healthy" : h->unhealthy ? "unhealthy" : "starting"; }

static void write_result(struct out *o, const struct health_result *r) {
  out_open(o, '{');
  out_text(o, "start", r->start);
  out_text(o, "end", r->end);
  out_number(o, "exitCode", r->code);
  out_key(o, "output");
  out_string(o, r->output, r->used);
  out_bool(o, "cut", r->cut);
  out_close(o, '}');
}

static void write_down(const struct health *h) {
  struct out o = {0};
  struct err ignored;
  out_open(&o, '{');
  out_text(&o, "status", status(h));
  out_number(&o, "failingStreak", h->streak);
  out_key(&o, "log");
  out_open(&o, '[');
  for (int i = 0; i < h->count; i++) write_result(&o, &h->results[i]);
  out_close(&o, ']');
  out_close(&o, '}');
  file_replace(h->dir, "health", &o, false, &ignored);
}

void health_begin(struct health *h, const struct health_spec *spec, int64_t now) {
  h->spec = spec->test.count > 0 ? spec : NULL;
  if (h->spec == NULL) return;
  h->healthy = h->unhealthy = false;
  h->streak = 0;
  h->begun = now;
  h->due = now + spec->interval;
  write_down(h);
}

int64_t health_wait(const struct health *h, int64_t now) {
  if (h->spec == NULL || (h->probe > 0 && h->late)) return -1;
  int64_t next = h->probe > 0 ? h->deadline : h->due;
  return next > now ? next - now : 0;
}

/** The child, between fork and exec. */
static void become_probe(const struct health *h, int output) {
  char root[PATH_MAX];
  const char *words[WORDS_MOST + 16] = {"strata-native", "--root", root, "--speak-as", "strata", "exec", "--probe", "--no-stdin", "--", h->id};
  int count = 10;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  snprintf(root, sizeof root, "%s", h->root);
  for (uint32_t i = 0; i < h->spec->test.count && i < WORDS_MOST; i++) words[count++] = h->spec->test.items[i];
  if (dup2(output, 1) < 0 || dup2(output, 2) < 0) return;
  sys_close_range(3, ~0u, 0);
  execv("/proc/self/exe", (char *const *)words);
}

static void start(struct health *h, int64_t now) {
  int ends[2];
  h->due = now + h->spec->interval;
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return;
  h->now.used = 0;
  h->now.cut = false;
  h->late = false;
  stamp_now(h->now.start);
  h->probe = fork();
  if (h->probe == 0) {
    fcntl(ends[1], F_SETFL, O_WRONLY);
    become_probe(h, ends[1]);
    _exit(ERR_SETUP);
  }
  close(ends[1]);
  if (h->probe < 0) h->probe = 0, close(ends[0]);
  else h->output = ends[0];
  h->deadline = now + h->spec->timeout;
}

void health_tick(struct health *h, int64_t now, bool paused) {
  if (h->spec == NULL || health_wait(h, now) != 0) return;
  if (h->probe > 0) {
    h->late = true;
    kill(h->probe, SIGKILL);
  } else if (paused) {
    h->due = now + h->spec->interval;
  } else {
    start(h, now);
  }
}

void health_hear(struct health *h) {
  char bytes[4096];
  ssize_t got;
  while ((got = read(h->output, bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
    if (got < 0) continue;
    size_t room = sizeof h->now.output - h->now.used, taken = (size_t)got < room ? (size_t)got : room;
    memcpy(h->now.output + h->now.used, bytes, taken);
    h->now.used += taken;
    h->now.cut |= taken < (size_t)got;
  }
  if (got < 0 && errno == EAGAIN) return;
  close(h->output);
  h->output = -1;
}

/** As Docker says it. */
static void took_too_long(struct health *h) {
  int64_t ms = h->spec->timeout;
  h->now.cut = false;
  h->now.used = (size_t)(ms % 1000 == 0 ? snprintf(h->now.output, sizeof h->now.output, "Health check exceeded timeout (%llds)", (long long)ms / 1000)
                                        : snprintf(h->now.output, sizeof h->now.output, "Health check exceeded timeout (%lldms)", (long long)ms));
}

/** moby's rules: a failure counts once the start period is over, or once it was healthy. */
static void judge(struct health *h, int64_t now) {
  if (h->now.code == 0) {
    h->streak = 0;
    h->healthy = true;
    h->unhealthy = false;
    return;
  }
  bool starting = !h->healthy && !h->unhealthy;
  if (starting && now - h->begun < h->spec->start_period) return;
  if (++h->streak < h->spec->retries) return;
  h->healthy = false;
  h->unhealthy = true;
}

bool health_reaped(struct health *h, pid_t pid, int wait_status, int64_t now, bool paused) {
  if (h->probe == 0 || pid != h->probe) return false;
  if (h->output >= 0) health_hear(h);
  if (h->output >= 0) close(h->output);
  h->output = -1;
  h->probe = 0;
  if (h->spec == NULL) return true;
  h->due = now + h->spec->interval;
  if (h->late && paused) return true; /* it stood still with the container: that says nothing */
  stamp_now(h->now.end);
  h->now.code = h->late ? -1 : init_status(wait_status);
  if (h->late) took_too_long(h);
  judge(h, now);
  if (h->count == HEALTH_RESULTS) memmove(h->results, h->results + 1, (HEALTH_RESULTS - 1) * sizeof h->results[0]);
  else h->count++;
  h->results[h->count - 1] = h->now;
  write_down(h);
  return true;
}

void health_end(struct health *h) {
  if (h->probe > 0) kill(h->probe, SIGKILL);
  if (h->output >= 0) close(h->output);
  h->output = -1;
  if (h->spec == NULL) return;
  h->healthy = false;
  h->unhealthy = true; /* as Docker has it of a container that does not run */
  h->spec = NULL;
  write_down(h);
}
