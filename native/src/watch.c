/**
 * The loop of `watch`. Events are collected for a moment, what they name is looked at once, and what is different is told.
 * Where events were lost, or are not to be had, everything is looked at.
 */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "own.h"
#include "spawn.h"
#include "watch_tell.h"

/* After quiet the first change is told soon; while there are many, a few times a second more are told at once. */
enum { FIRST_MS = 8, BATCH_MS = 40, DRAIN_MS = 5, QUIET_MS = 200, POLL_LEAST_MS = 500, POLL_MOST_MS = 10000, POLL_SHARE = 20 };

struct session {
  struct watch watch;
  struct out out;
  long syncs;
  int64_t told_at;   /* when the last batch left */
  int64_t every;     /* between two looks where there are no events */
  bool ended, asked, told_deep, told_redirected;
};

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void event(struct watch *w, const struct inotify_event *ev, int64_t now) {
  if (ev->mask & IN_Q_OVERFLOW) return watch_dirty_all(w);
  if (ev->mask & IN_IGNORED) return watch_forgotten(w, ev->wd);
  struct node *dir = watch_by_wd(w, ev->wd);
  if (dir == NULL) return;
  if (ev->len == 0) { /* of the directory itself: as of its parent, but for the one that has none */
    if (dir->parent == NULL) watch_dirty(w, dir);
    return;
  }
  watch_dirty_name(w, dir, ev->name, (ev->mask & IN_MODIFY) != 0);
  if (ev->mask & IN_ISDIR) return;
  struct node *node = watch_child(&w->tree, dir, ev->name, false);
  if (node == NULL) return;
  if (ev->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM)) watch_closed_file(w, node);
  else if (ev->mask & (IN_CREATE | IN_MOVED_TO | IN_MODIFY)) watch_open_file(w, node, now);
}

static void drain(struct watch *w) {
  _Alignas(struct inotify_event) char space[1 << 16];
  for (ssize_t got; w->inotify >= 0 && (got = read(w->inotify, space, sizeof space)) > 0;)
    for (char *at = space; at < space + got;) {
      const struct inotify_event *ev = (const struct inotify_event *)(void *)at;
      event(w, ev, now_ms());
      at += sizeof *ev + ev->len;
    }
}

/** What stands on stdin: "sync", or its end. */
static void listen_in(struct session *s) {
  char text[256];
  ssize_t got = read(0, text, sizeof text);
  if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) s->ended = true;
  for (ssize_t i = 0; i < got; i++) s->asked |= text[i] == '\n';
}

static void notice(struct session *s, const char *kind, const char *text, int64_t every) {
  out_open(&s->out, '{');
  out_text(&s->out, "notice", kind);
  out_text(&s->out, "text", text);
  if (every > 0) out_number(&s->out, "every", every);
  out_close(&s->out, '}');
  out_line(&s->out);
}

/** What the person should know once: why there are no events, or that a part is not looked at. */
static void notices(struct session *s) {
  struct watch *w = &s->watch;
  char text[200];
  if (w->why_polled > 0) {
    const char *limit = w->why_polled == ENOSPC ? "fs.inotify.max_user_watches" : w->why_polled == EMFILE ? "fs.inotify.max_user_instances" : NULL;
    snprintf(text, sizeof text, "no more watches are to be had (%s): the upper directory is looked at every now and then",
             limit != NULL ? limit : strerror(w->why_polled));
    notice(s, "polled", text, s->every);
    w->why_polled = -1;
  }
  if (w->too_deep && !s->told_deep) {
    s->told_deep = true;
    notice(s, "deep", "directories more than 1500 deep are not looked at", 0);
  }
  if (w->redirected && !s->told_redirected) {
    s->told_redirected = true;
    notice(s, "redirected", "a directory was renamed in place (redirect_dir): what it brought along from below is not told", 0);
  }
}

/** One batch: look, tell, and the mark at its end. */
static int batch(struct session *s, bool always) {
  struct watch *w = &s->watch;
  bool asked = s->asked;
  s->asked = false;
  if (asked) watch_dirty_all(w);
  int64_t began = now_ms();
  long lines = watch_look(w, began) < 0 ? -1 : watch_tell(w, &s->out, now_ms());
  if (lines < 0) return -1;
  if (w->inotify < 0) {
    /* A twentieth of the time at most; less and less often while nothing happens. */
    int64_t least = (now_ms() - began) * POLL_SHARE;
    s->every = lines > 0 || s->every == 0 ? POLL_LEAST_MS : s->every * 3 / 2;
    if (s->every > POLL_MOST_MS) s->every = POLL_MOST_MS;
    if (s->every < least) s->every = least;
  }
  notices(s);
  if (lines > 0 || always || asked) {
    out_open(&s->out, '{');
    out_number(&s->out, "sync", ++s->syncs);
    if (asked) out_bool(&s->out, "asked", true);
    if (w->gone) out_bool(&s->out, "gone", true);
    out_close(&s->out, '}');
    out_line(&s->out);
    s->told_at = now_ms();
  }
  s->ended |= w->gone;
  return s->out.length > 0 && out_write(&s->out, 1) < 0 ? err_set(w->e, errno, "write the answer") : 0;
}

/** Waits for something to look at, and then a little longer for what belongs to it. */
static void await_change(struct session *s) {
  struct watch *w = &s->watch;
  int64_t began = now_ms();
  int timeout = watch_open_turn(w, began);
  if (w->inotify < 0) timeout = (int)s->every;
  else if (w->busy != NULL) timeout = 0;
  struct pollfd fds[2] = {{.fd = 0, .events = POLLIN}, {.fd = w->inotify, .events = POLLIN}};
  int ready = poll(fds, 2, timeout);
  if (ready > 0 && fds[0].revents != 0) return listen_in(s);
  if (w->inotify < 0) return watch_dirty_all(w);
  if (ready <= 0) {
    watch_open_turn(w, now_ms());
    return;
  }
  int64_t first = now_ms(), until = first + (first - s->told_at > QUIET_MS ? FIRST_MS : BATCH_MS);
  for (drain(w); now_ms() < until && !s->ended; drain(w)) {
    if (poll(fds, 1, DRAIN_MS) > 0) listen_in(s);
    if (s->asked) return drain(w);
  }
}

static int watch_until_end(struct session *s) {
  struct watch *w = &s->watch;
  w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (w->inotify < 0) w->why_polled = errno;
  watch_dirty_all(w);
  if (batch(s, true) < 0) return -1;
  while (!s->ended) {
    await_change(s);
    if (!s->ended && batch(s, false) < 0) return -1;
  }
  return 0;
}

static int begin(struct watch *w, const struct diff_options *o, bool user, char path[PATH_MAX], struct err *e) {
  struct lower_view view;
  if (realpath(o->upper, path) == NULL) return err_set(e, errno, "upper directory %s", o->upper);
  w->upper = path;
  if (lower_open(&w->lower, o->lower, o->lower_count, user, e) < 0 || watch_scan_begin(w, e) < 0) return -1;
  lower_whole(&w->lower, &view);
  return watch_root(w, &view);
}

static int job(void *argument, const struct idmaps *maps) {
  const struct diff_options *o = argument;
  struct err e = {0};
  char path[PATH_MAX];
  struct session *s = calloc(1, sizeof *s);
  if (s == NULL) return ERR_FAILED;
  s->watch.inotify = -1;
  int result = begin(&s->watch, o, maps != NULL || o->user, path, &e) < 0 ? -1 : watch_until_end(s);
  if (result < 0) out_error(2, &e);
  watch_scan_end(&s->watch);
  lower_close(&s->watch.lower);
  out_free(&s->out);
  free(s);
  return result < 0 ? ERR_FAILED : 0;
}

int watch_main(const struct diff_options *o, struct err *e) { return spawn_job(job, (void *)o, e); }
