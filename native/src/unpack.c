/** The loop over the tar, and what is done about the whole: a directory that is complete or not there. */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "out.h"
#include "own.h"
#include "spawn.h"
#include "sys.h"
#include "tree.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number) {
  (void)signal_number;
  interrupted = 1;
}

/** A layer that is given up must not stay half: the signals that ask us to end make the next read fail. */
static void heed_signals(void) {
  struct sigaction action = {.sa_handler = interrupt};
  const int heeded[] = {SIGTERM, SIGINT, SIGHUP};
  for (int i = 0; i < 3; i++) sigaction(heeded[i], &action, NULL);
}

static ssize_t standard_input(void *context, void *to, size_t length) {
  (void)context;
  if (interrupted) return errno = ECANCELED, -1;
  return read(0, to, length);
}

static int all_entries(struct unpack *u, struct err *e) {
  struct tar_entry entry;
  for (int got; (got = tar_next(u->tar, &entry, e)) != 0;) {
    if (got < 0) return -1;
    if (++u->entries > u->options->max_entries) return err_set(e, 0, "the layer has more than %lld entries", (long long)u->options->max_entries);
    if (unpack_entry(u, &entry, e) < 0) return err_in(e, "entry at byte %lld, %.300s", (long long)entry.header, entry.path);
  }
  return unpack_markers(u, e) < 0 ? -1 : unpack_late(u, e);
}

static void report(const struct unpack *u) {
  struct out o = {0};
  out_open(&o, '{');
  out_number(&o, "entries", u->entries);
  out_number(&o, "bytes", u->bytes);
  out_number(&o, "whiteouts", u->whiteouts);
  out_number(&o, "opaque", u->opaques);
  out_number(&o, "foreignIds", u->foreign_ids);
  out_number(&o, "skippedDevices", u->skipped_devices);
  out_number(&o, "skippedXattrs", u->skipped_xattrs);
  out_number(&o, "skippedOthers", u->skipped_others);
  out_number(&o, "forgedMarks", u->forged_marks);
  out_close(&o, '}');
  out_flush(&o, 1);
  out_free(&o);
}

static int in_directory(struct unpack *u, struct err *e) {
  const struct unpack_options *o = u->options;
  if (lower_open(&u->lower, o->lower, o->lower_count, u->maps != NULL, e) < 0) return -1;
  u->tar = tar_open(standard_input, NULL);
  u->root = open(o->into, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (u->tar == NULL || u->root < 0) return err_set(e, errno, "open %s", o->into);
  if (fchmod(u->root, 0755) < 0 || fchown(u->root, 0, 0) < 0) return err_set(e, errno, "prepare %s", o->into);
  return unpack_later(u, ".", u->root, NULL, e) < 0 ? -1 : all_entries(u, e);
}

static void let_go(struct unpack *u) {
  for (size_t i = 0; i < u->late_count; i++) free(u->late[i].path);
  free(u->late);
  for (size_t i = 0; i < u->marker_count; i++) free(u->markers[i]);
  free(u->markers);
  tar_close(u->tar);
  lower_close(&u->lower);
  own_close(&u->root);
}

int unpack_over(const char *into, const struct idmaps *maps, struct err *e) {
  const struct unpack_options o = {.into = into, .max_bytes = INT64_MAX, .max_entries = INT64_MAX};
  struct unpack u = {.options = &o, .maps = maps, .over = true, .root = -1};
  umask(0);
  heed_signals();
  u.tar = tar_open(standard_input, NULL);
  u.root = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = u.tar == NULL || u.root < 0 ? err_set(e, errno, "%.300s in the container", into) : all_entries(&u, e);
  let_go(&u);
  return result;
}

static int job(void *argument, const struct idmaps *maps) {
  const struct unpack_options *o = argument;
  struct err e = {0}, ignored;
  struct unpack u = {.options = o, .maps = maps, .root = -1};
  umask(0);
  heed_signals();
  if (mkdir(o->into, 0700) < 0) {
    err_set(&e, errno, "make %s", o->into);
    return out_error(2, &e), ERR_FAILED;
  }
  int result = in_directory(&u, &e);
  let_go(&u);
  if (result == 0) return report(&u), 0;
  tree_remove(AT_FDCWD, o->into, &ignored);
  return out_error(2, &e), ERR_FAILED;
}

int unpack_main(const struct unpack_options *o, struct err *e) {
  return spawn_job(job, (void *)o, e);
}
