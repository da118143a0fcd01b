/** The lookups of lower.h. Layers are directories of our own store and nobody writes to them meanwhile. */
#include "lower.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "overlay_marks.h"
#include "own.h"
#include "sys.h"

int lower_open(struct lower_stack *s, const char *const *paths, int count, bool user, struct err *e) {
  *s = (struct lower_stack){.user = user};
  if (count > MAX_LAYERS) return err_set(e, 0, "more than %d layers", MAX_LAYERS);
  for (int i = 0; i < count; i++) {
    int fd = open(paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return err_set(e, errno, "layer %s", paths[i]);
    s->fds[s->count++] = fd;
  }
  return 0;
}

void lower_close(struct lower_stack *s) {
  for (int i = 0; i < s->count; i++) close(s->fds[i]);
  s->count = 0;
}

void lower_whole(const struct lower_stack *s, struct lower_view *view) {
  view->count = s->count;
  for (int i = 0; i < s->count; i++) view->layers[i] = (unsigned short)i;
}

static bool opaque(const struct lower_stack *s, int layer, const char *path) {
  char value[2], name[64];
  OWN_FD fd = sys_openat2(s->fds[layer], path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_);
  snprintf(name, sizeof name, "%s", MARK(s->user, "opaque"));
  return fd >= 0 && fgetxattr(fd, name, value, sizeof value) == 1 && value[0] == 'y';
}

bool lower_find(const struct lower_stack *s, const struct lower_view *parent, const char *path, struct stat *st, int *layer, struct lower_view *view) {
  bool found = false;
  if (view != NULL) view->count = 0;
  for (int i = 0; i < parent->count; i++) {
    struct stat here;
    int at = parent->layers[i];
    if (fstatat(s->fds[at], path, &here, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (mark_is_whiteout(&here)) break;
    if (found && !S_ISDIR(here.st_mode)) break;
    if (!found) *st = here, *layer = at, found = true;
    if (!S_ISDIR(here.st_mode)) break;
    if (view == NULL) break;
    view->layers[view->count++] = (unsigned short)at;
    if (opaque(s, at, path)) break;
  }
  return found;
}

bool lower_walk(const struct lower_stack *s, const char *path, struct stat *st, int *layer) {
  char prefix[PATH_MAX];
  struct lower_view views[2];
  int current = 0;
  lower_whole(s, &views[0]);
  size_t length = strlen(path), at = 0;
  if (length >= sizeof prefix || length == 0) return false;
  for (;;) {
    size_t end = at + strcspn(path + at, "/");
    memcpy(prefix, path, end);
    prefix[end] = 0;
    if (!lower_find(s, &views[current], prefix, st, layer, &views[!current])) return false;
    if (end == length) return true;
    if (!S_ISDIR(st->st_mode)) return false;
    current = !current;
    at = end + 1;
  }
}
