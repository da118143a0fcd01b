/**
 * Walks the upper directory only: the cost is that of what changed. A copied-up file that is still as it was is no
 * change; a directory is one when its own mode or owner changed or anything below it did.
 */
#include "diff.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "out.h"
#include "own.h"
#include "spawn.h"
#include "sys.h"
#include "upper.h"

enum { WRITE_AT = 1 << 16, MAX_DEPTH = 1500 };

struct walk {
  struct lower_stack lower;
  char *path; /* of the entry being looked at, without a leading slash */
  size_t length, capacity;
  struct out out;
  struct err *e;
};

/** A directory on the way down; it is told as changed when the first change below it is found. */
struct level {
  struct level *up;
  int depth;
  bool told;
  bool hides;          /* what the layers below have in it is not seen: it is opaque, or lies in one that is */
  size_t path_length;
  struct stat st;
};

static int written(struct walk *w) { return out_write(&w->out, 1) < 0 ? err_set(w->e, errno, "write the answer") : 0; }

static int line(struct walk *w, char change, size_t path_length, const struct stat *st) {
  char letter[2] = {change, 0};
  char *slashed = w->path - 1; /* a slash stands before it */
  out_open(&w->out, '{');
  out_text(&w->out, "change", letter);
  out_path(&w->out, "path", slashed, path_length + 1);
  out_text(&w->out, "type", upper_type(st->st_mode));
  out_number(&w->out, "size", S_ISREG(st->st_mode) ? st->st_size : 0);
  out_close(&w->out, '}');
  out_line(&w->out);
  return w->out.length < WRITE_AT ? 0 : written(w);
}

static int tell_above(struct walk *w, struct level *l) {
  if (l == NULL || l->told) return 0;
  l->told = true;
  return tell_above(w, l->up) < 0 || line(w, 'C', l->path_length, &l->st) < 0 ? -1 : 0;
}

static int tell(struct walk *w, struct level *above, char change, const struct stat *st) {
  return tell_above(w, above) < 0 ? -1 : line(w, change, w->length, st);
}

/** Puts `name` after the path; gives the length to go back to. */
static int push(struct walk *w, const char *name, size_t *before) {
  size_t length = strlen(name), need = w->length + length + 3;
  *before = w->length;
  if (need > w->capacity) {
    char *grown = realloc(w->path == NULL ? NULL : w->path - 1, need * 2 + 1);
    if (grown == NULL) return err_set(w->e, ENOMEM, "diff");
    grown[0] = '/';
    w->path = grown + 1;
    w->capacity = need * 2;
  }
  if (w->length > 0) w->path[w->length++] = '/';
  memcpy(w->path + w->length, name, length + 1);
  w->length += length;
  return 0;
}

static void pop(struct walk *w, size_t before) {
  w->length = before;
  w->path[before] = 0;
}

static int directory(struct walk *w, int fd, struct level *level, const struct lower_view *view);

/** What an opaque directory hides: the names below that it does not have itself. */
static int hidden(struct walk *w, int fd, struct level *level, const struct lower_view *view) {
  for (int i = 0; i < view->count; i++) {
    int at = view->layers[i];
    int below = sys_openat2(w->lower.fds[at], w->length == 0 ? "." : w->path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_);
    OWN_DIR dir = below < 0 ? NULL : fdopendir(below);
    for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;) {
      struct stat st, seen;
      int layer;
      size_t before;
      if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) continue;
      if (push(w, d->d_name, &before) < 0) return -1;
      /* Told once: by the uppermost layer that has the name. */
      bool first = lower_find(&w->lower, view, w->path, &seen, &layer, NULL) && layer == at;
      int result = first ? tell(w, level, 'D', &seen) : 0;
      pop(w, before);
      if (result < 0) return -1;
    }
  }
  return 0;
}

static int subdirectory(struct walk *w, int parent, const char *name, struct level *above, const struct stat *st, bool told, const struct lower_view *view) {
  OWN_FD fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) return 0; /* it went meanwhile: the container runs */
  if (fd < 0) return err_set(w->e, errno, "open %.200s", w->path);
  if (above->depth == MAX_DEPTH) return err_set(w->e, 0, "directories more than %d deep", MAX_DEPTH);
  struct level level = {.up = above, .depth = above->depth + 1, .told = told, .path_length = w->length, .st = *st};
  level.hides = above->hides || upper_opaque(&w->lower, fd);
  if (view->count > 0 && level.hides && hidden(w, fd, &level, view) < 0) return -1;
  return directory(w, fd, &level, view);
}

static int entry(struct walk *w, int parent, const char *name, struct level *above, const struct lower_view *view) {
  struct upper_entry u;
  struct lower_view own;
  if (upper_look(&w->lower, view, parent, name, w->path, &u, &own) < 0) return errno == ENOENT ? 0 : err_set(w->e, errno, "look at %.200s", w->path);
  if (u.letter != 0 && tell(w, above, u.letter, &u.st) < 0) return -1;
  if (u.whiteout || !S_ISDIR(u.st.st_mode)) return 0;
  return subdirectory(w, parent, name, above, &u.st, u.letter != 0, &own);
}

static int directory(struct walk *w, int fd, struct level *level, const struct lower_view *view) {
  int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OWN_DIR dir = copy < 0 ? NULL : fdopendir(copy);
  if (dir == NULL) return err_set(w->e, errno, "list %.200s", w->path);
  errno = 0;
  for (struct dirent *d; (d = readdir(dir)) != NULL;) {
    size_t before;
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    if (push(w, d->d_name, &before) < 0) return -1;
    int result = entry(w, copy, d->d_name, level, view);
    pop(w, before);
    if (result < 0) return -1;
    errno = 0;
  }
  return errno != 0 ? err_set(w->e, errno, "list %.200s", w->path) : 0;
}

static void many_files(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

static int whole(struct walk *w, const struct diff_options *o, bool user) {
  struct lower_view view;
  size_t before;
  if (lower_open(&w->lower, o->lower, o->lower_count, user, w->e) < 0 || push(w, "", &before) < 0) return -1;
  lower_whole(&w->lower, &view);
  OWN_FD upper = open(o->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (upper < 0) return err_set(w->e, errno, "upper directory %s", o->upper);
  struct level root = {.told = true}; /* docker diff never names the root itself */
  return directory(w, upper, &root, &view) < 0 ? -1 : written(w);
}

static int job(void *argument, const struct idmaps *maps) {
  const struct diff_options *o = argument;
  struct err e = {0};
  struct walk w = {.e = &e};
  many_files();
  int result = whole(&w, o, maps != NULL || o->user);
  if (result < 0) out_error(2, &e);
  lower_close(&w.lower);
  if (w.path != NULL) free(w.path - 1);
  out_free(&w.out);
  return result < 0 ? ERR_FAILED : 0;
}

int diff_main(const struct diff_options *o, struct err *e) { return spawn_job(job, (void *)o, e); }
