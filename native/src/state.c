/** The rules of state.h. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "pick.h"
#include "sweep.h"

enum { MAX_STATE = 1 << 20 };

const char *status_name(enum status status) {
  static const char *const names[] = {"created", "running", "paused", "stopped", "restarting"};
  return names[status];
}

static int read_document(struct json_document *d, int dir, const char *name, struct err *e) {
  size_t length;
  char *text = file_read(dir, name, MAX_STATE, &length);
  if (text == NULL) return err_set(e, errno, "read %s", name);
  int result = json_read(d, text, length, e);
  free(text);
  return result < 0 || json_root(d)->type != JSON_OBJECT ? err_set(e, 0, "%s is damaged", name) : 0;
}

static int read_birth(struct state *s, struct err *e) {
  struct pick p = {.d = &s->document, .object = json_root(&s->document), .name = "state", .e = e};
  int64_t pid = 0, monitor = 0;
  if (pick_text(&p, "id", &s->id) < 0 || pick_text(&p, "bundle", &s->bundle) < 0 || pick_text(&p, "bootId", &s->boot) < 0 ||
      pick_text(&p, "createdAt", &s->created_at) < 0 || pick_text(&p, "cgroup", &s->cgroup) < 0 || pick_text(&p, "log", &s->log) < 0 ||
      pick_text(&p, "warning", &s->warning) < 0 || pick_bool(&p, "tty", &s->tty) < 0 || pick_bool(&p, "init", &s->init) < 0)
    return -1;
  if (pick_integer(&p, "pid", 1, INT32_MAX, &pid) < 0 || pick_integer(&p, "pidStart", 0, INT64_MAX, &s->process.start) < 0 ||
      pick_integer(&p, "monitorPid", 1, INT32_MAX, &monitor) < 0 || pick_integer(&p, "monitorStart", 0, INT64_MAX, &s->monitor.start) < 0)
    return -1;
  s->process.pid = (pid_t)pid;
  s->monitor.pid = (pid_t)monitor;
  s->annotations = json_member(p.d, p.object, "annotations");
  return s->id == NULL || s->bundle == NULL || s->boot == NULL || pid == 0 ? err_set(e, 0, "state.json is damaged") : 0;
}

static bool pick_ending(struct state *s, struct err *e) {
  struct pick p = {.d = &s->exit_document, .object = json_root(&s->exit_document), .name = "exit", .e = e};
  return !(pick_integer(&p, "exitCode", 0, 255, &s->ending.code) < 0 || pick_integer(&p, "signal", 1, 64, &s->ending.signal) < 0 ||
      pick_bool(&p, "oomKilled", &s->ending.oom) < 0 || pick_text(&p, "finishedAt", &s->ending.finished_at) < 0 ||
      pick_text(&p, "error", &s->ending.error) < 0 || pick_integer(&p, "lostLogLines", 0, INT64_MAX, &s->ending.lost_lines) < 0);
}

/** False when there is none. One that is damaged is an end of which nothing is known. */
static bool read_ending(struct state *s, int dir) {
  struct err e;
  s->ending = (struct ending){.code = -1};
  if (faccessat(dir, "exit", F_OK, 0) < 0) return false;
  if (read_document(&s->exit_document, dir, "exit", &e) < 0 || !pick_ending(s, &e)) s->reason = "its exit file is damaged";
  return true;
}

/** How often it was started again; true while it waits for that. What became of the run before is its `ending`, until it has one. */
static bool read_again(struct state *s, int dir, bool stopped) {
  struct json_document d = {0};
  struct err e;
  bool rests = false;
  if (faccessat(dir, "again", F_OK, 0) == 0 && read_document(&d, dir, "again", &e) == 0) {
    struct pick p = {.d = &d, .object = json_root(&d), .name = "again", .e = &e};
    if (pick_integer(&p, "restarts", 0, INT64_MAX, &s->restarts) < 0 || pick_bool(&p, "rests", &rests) < 0) rests = false;
  }
  json_free(&d);
  if (!stopped && faccessat(dir, "before", F_OK, 0) == 0 && (read_document(&s->exit_document, dir, "before", &e) < 0 || !pick_ending(s, &e)))
    s->ending = (struct ending){.code = -1};
  return rests;
}

static void read_started(struct state *s, int dir) {
  struct json_document d = {0};
  struct err e;
  const char *at = NULL;
  if (read_document(&d, dir, "started", &e) == 0) {
    struct pick p = {.d = &d, .object = json_root(&d), .name = "started", .e = &e};
    if (pick_text(&p, "startedAt", &at) == 0 && at != NULL) strncpy(s->started_at, at, sizeof s->started_at - 1);
  }
  json_free(&d);
}

static bool is_paused(struct state *s) {
  struct cgroup cgroup;
  cgroup_open(&cgroup, s->cgroup == NULL ? "" : s->cgroup);
  s->freezes = cgroup_freezable(&cgroup);
  bool paused = s->freezes ? cgroup_frozen(&cgroup) : sweep_stopped(s->process.pid);
  cgroup_close(&cgroup);
  return paused;
}

static void judge(struct state *s, int dir) {
  char boot[BOOT_ID];
  process_boot(boot);
  bool same_boot = strcmp(boot, s->boot) == 0;
  /* Before the exit file is looked for: a monitor writes it while it lives, so one that is dead has written what it will. */
  bool lives = same_boot && process_alive(&s->process);
  s->monitored = same_boot && process_alive(&s->monitor);
  s->status = STATUS_STOPPED;
  bool stopped = read_ending(s, dir), rests = read_again(s, dir, stopped);
  if (stopped) return;
  s->orphaned = same_boot && !s->monitored;
  if (!same_boot) s->reason = "lost (reboot)";
  else if (!s->monitored) s->reason = "monitor died";
  if (rests && s->monitored) {
    s->status = STATUS_RESTARTING;
    return;
  }
  if (!lives && !s->monitored) {
    if (!rests) s->ending = (struct ending){.code = -1}; /* that was the run before */
    return;
  }
  /* What waits to be started does not outlive its monitor: then it was started, and the monitor died before it wrote that down. */
  bool created = s->started_at[0] == 0 && s->monitored;
  s->status = created ? STATUS_CREATED : lives && is_paused(s) ? STATUS_PAUSED : STATUS_RUNNING;
}

int state_read(struct state *s, int dir, struct err *e) {
  *s = (struct state){.init = true};
  if (read_document(&s->document, dir, "state.json", e) < 0 || read_birth(s, e) < 0) return -1;
  read_started(s, dir);
  judge(s, dir);
  return 0;
}

void state_free(struct state *s) {
  json_free(&s->document);
  json_free(&s->exit_document);
}

static void print_annotations(struct out *o, const struct json_document *d, const struct json *annotations) {
  out_key(o, "annotations");
  out_open(o, '{');
  for (const struct json *m = annotations == NULL || annotations->type != JSON_OBJECT ? NULL : json_first(d, annotations); m != NULL; m = json_next(d, m))
    if (m->type == JSON_STRING) out_text(o, json_key(d, m), json_text(d, m));
  out_close(o, '}');
}

static void number_or_null(struct out *o, const char *key, bool known, int64_t number) {
  if (known) out_number(o, key, number);
  else out_text(o, key, NULL);
}

static void print_end_members(const struct state *s, bool stopped, struct out *o) {
  number_or_null(o, "exitCode", stopped && s->ending.code >= 0, s->ending.code);
  number_or_null(o, "signal", stopped && s->ending.signal > 0, s->ending.signal);
  out_bool(o, "oomKilled", stopped && s->ending.oom);
  out_text(o, "finishedAt", stopped ? s->ending.finished_at : NULL);
  out_text(o, "error", stopped ? s->ending.error : NULL);
  out_number(o, "lostLogLines", stopped ? s->ending.lost_lines : 0);
  out_text(o, "reason", s->reason);
}

void state_print_ending(const struct state *s, struct out *o) {
  out_open(o, '{');
  print_end_members(s, true, o);
  out_close(o, '}');
}

static void print_own(const struct state *s, struct out *o) {
  out_open(o, '{');
  number_or_null(o, "monitorPid", s->monitored, s->monitor.pid);
  out_text(o, "createdAt", s->created_at);
  out_text(o, "startedAt", s->started_at[0] == 0 ? NULL : s->started_at);
  print_end_members(s, s->status == STATUS_STOPPED || s->status == STATUS_RESTARTING, o);
  out_number(o, "restarts", s->restarts);
  out_bool(o, "tty", s->tty);
  out_text(o, "bootId", s->boot);
  out_text(o, "cgroup", s->cgroup);
  out_text(o, "log", s->log);
  out_text(o, "warning", s->warning);
  out_text(o, "pausedBy", s->status != STATUS_PAUSED ? NULL : s->freezes ? "cgroup" : "signals");
  out_close(o, '}');
}

void state_print(const struct state *s, struct out *o) {
  out_open(o, '{');
  out_text(o, "ociVersion", "1.2.0");
  out_text(o, "id", s->id);
  out_text(o, "status", status_name(s->status));
  out_number(o, "pid", s->status == STATUS_STOPPED || s->status == STATUS_RESTARTING ? 0 : s->process.pid);
  out_text(o, "bundle", s->bundle);
  out_text(o, "created", s->created_at);
  print_annotations(o, &s->document, s->annotations);
  out_key(o, "strata");
  print_own(s, o);
  out_close(o, '}');
}

int state_write(int dir, const struct birth *b, bool durable, struct err *e) {
  struct out o = {0};
  char now[STAMP], boot[BOOT_ID];
  stamp_now(now);
  process_boot(boot);
  out_open(&o, '{');
  out_text(&o, "id", b->id);
  out_text(&o, "bundle", b->bundle);
  out_text(&o, "bootId", boot);
  out_number(&o, "pid", b->process.pid);
  out_number(&o, "pidStart", b->process.start);
  out_number(&o, "monitorPid", b->monitor.pid);
  out_number(&o, "monitorStart", b->monitor.start);
  out_text(&o, "createdAt", now);
  out_bool(&o, "tty", b->tty);
  out_bool(&o, "init", b->init);
  out_text(&o, "cgroup", b->cgroup);
  out_text(&o, "log", b->log);
  out_text(&o, "warning", b->warning);
  print_annotations(&o, b->config, json_member(b->config, json_root(b->config), "annotations"));
  out_close(&o, '}');
  if (file_reserve(dir, "exit", e) < 0) return out_free(&o), -1;
  return file_replace(dir, "state.json", &o, durable, e);
}

int state_write_started(int dir, struct err *e) {
  struct out o = {0};
  char now[STAMP];
  stamp_now(now);
  out_open(&o, '{');
  out_text(&o, "startedAt", now);
  out_close(&o, '}');
  return file_replace(dir, "started", &o, false, e);
}

static int write_ending(int dir, const char *name, const struct ending *ending, bool durable, struct err *e) {
  struct out o = {0};
  out_open(&o, '{');
  number_or_null(&o, "exitCode", ending->code >= 0, ending->code);
  number_or_null(&o, "signal", ending->signal > 0, ending->signal);
  out_bool(&o, "oomKilled", ending->oom);
  out_text(&o, "finishedAt", ending->finished_at);
  if (ending->error != NULL) out_text(&o, "error", ending->error);
  if (ending->lost_lines > 0) out_number(&o, "lostLogLines", ending->lost_lines);
  out_close(&o, '}');
  return file_replace(dir, name, &o, durable, e);
}

int state_write_ending(int dir, const struct ending *ending, bool durable, struct err *e) { return write_ending(dir, "exit", ending, durable, e); }

int state_write_again(int dir, int64_t count, const struct ending *last, struct err *e) {
  struct out o = {0};
  if (last != NULL && write_ending(dir, "before", last, false, e) < 0) return -1;
  out_open(&o, '{');
  out_number(&o, "restarts", count);
  out_bool(&o, "rests", last != NULL);
  out_close(&o, '}');
  return file_replace(dir, "again", &o, false, e);
}
