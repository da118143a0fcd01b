/**
 * Whiteouts and opaque directories of a layer's tar, in the form that overlayfs reads (LAYERS.md, stacking rules 1 to 4).
 *
 * Where a marker stands in the tar does not matter, so all of them wait for the end, and shallow ones come first: then
 * what a marker hides from a deeper one is known. A marker for what nobody could see is dropped; it must not make a
 * directory appear that neither this layer nor one below has.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "overlay_marks.h"
#include "own.h"
#include "sys.h"
#include "unpack.h"

static int keep(struct unpack *u, const char *path, struct err *e) {
  if (u->marker_count == u->marker_capacity) {
    size_t wanted = u->marker_capacity * 2 + 64;
    char **grown = realloc(u->markers, wanted * sizeof *grown);
    if (grown == NULL) return err_set(e, ENOMEM, "unpack");
    u->markers = grown;
    u->marker_capacity = wanted;
  }
  if ((u->markers[u->marker_count] = strdup(path)) == NULL) return err_set(e, ENOMEM, "unpack");
  u->marker_count++;
  return 1;
}

static const char *last_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

int unpack_is_marker(struct unpack *u, const char *path, struct err *e) {
  const char *name = last_name(path);
  if (strncmp(name, ".wh.", 4) != 0 || name[4] == 0) return 0;
  const char *hidden = name + 4;
  if (strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0) return err_set(e, 0, "a whiteout of \"%s\"", hidden);
  if (strncmp(hidden, ".wh.", 4) == 0 && strcmp(hidden, ".wh..opq") != 0) return 1; /* AUFS's own: hides at most a name that nobody sees */
  return u->options->bottom ? 1 : keep(u, path, e);
}

static bool is_opaque(const struct unpack *u, int dir) {
  char value[2];
  return fgetxattr(dir, MARK(u->maps != NULL, "opaque"), value, sizeof value) == 1 && value[0] == 'y';
}

static bool below_has_directory(const struct unpack *u, const char *path) {
  struct stat st;
  int layer;
  if (u->lower.count == 0) return true; /* nobody told us what lies below */
  return lower_walk(&u->lower, path, &st, &layer) && S_ISDIR(st.st_mode);
}

/**
 * The directory `path` (of `length` bytes) as this layer has it, made where only layers below have it. -2: nothing below
 * can be seen there, for there is no directory or an opaque one stands above it (`itself`: or it is opaque itself).
 */
static int reach(struct unpack *u, const char *path, size_t length, bool itself, struct err *e) {
  char prefix[PATH_MAX];
  int dir = openat(u->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (size_t at = 0; dir >= 0 && at < length;) {
    size_t end = at + strcspn(path + at, "/");
    memcpy(prefix, path, end);
    prefix[end] = 0;
    bool hidden = is_opaque(u, dir);
    int child = hidden ? -1 : openat(dir, last_name(prefix), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool missing = !hidden && child < 0 && errno == ENOENT;
    memcpy(prefix, path, length);
    prefix[length] = 0;
    if (missing && below_has_directory(u, prefix)) {
      memcpy(prefix, path, end);
      prefix[end] = 0;
      if (mkdirat(dir, last_name(prefix), 0755) == 0) child = openat(dir, last_name(prefix), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (child < 0 || unpack_later(u, prefix, child, NULL, e) < 0) {
        close(dir);
        own_close(&child);
        return err_set(e, errno, "make a directory");
      }
    }
    close(dir);
    if (child < 0) return -2;
    dir = child;
    at = end + 1;
  }
  if (dir < 0) return err_set(e, errno, "open the layer");
  if (itself && is_opaque(u, dir)) return close(dir), -2;
  return dir;
}

static int make_opaque(struct unpack *u, int dir, struct err *e) {
  if (is_opaque(u, dir)) return 0;
  if (fsetxattr(dir, MARK(u->maps != NULL, "opaque"), "y", 1, 0) < 0)
    return err_set(e, errno, "mark a directory opaque (%s attribute)", u->maps != NULL ? "user" : "trusted");
  u->opaques++;
  return 0;
}

static int whiteout(struct unpack *u, const char *path, const char *name, struct err *e) {
  struct stat st;
  const char *hidden = name + 4;
  size_t length = name == path ? 0 : (size_t)(name - path) - 1;
  OWN_FD dir = reach(u, path, length, true, e);
  if (dir < 0) return dir == -2 ? 0 : -1;
  if (fstatat(dir, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISDIR(st.st_mode)) return 0; /* this layer's own file hides the lower one already */
    OWN_FD own = openat(dir, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return own < 0 ? err_set(e, errno, "open the directory it names") : make_opaque(u, own, e);
  }
  if (mknodat(dir, hidden, S_IFCHR, 0) < 0) return err_set(e, errno, "make a whiteout");
  u->whiteouts++;
  return 0;
}

static int one_marker(struct unpack *u, const char *path, bool opaques, struct err *e) {
  const char *name = last_name(path);
  if ((strcmp(name, ".wh..wh..opq") == 0) != opaques) return 0;
  if (!opaques) return whiteout(u, path, name, e);
  OWN_FD dir = reach(u, path, name == path ? 0 : (size_t)(name - path) - 1, false, e);
  if (dir < 0) return dir == -2 ? 0 : -1;
  return make_opaque(u, dir, e);
}

static size_t depth(const char *path) {
  size_t slashes = 0;
  for (; *path != 0; path++) slashes += *path == '/';
  return slashes;
}

static int shallow_first(const void *a, const void *b) {
  const char *x = *(char *const *)a, *y = *(char *const *)b;
  size_t one = depth(x), two = depth(y);
  return one == two ? strcmp(x, y) : one < two ? -1 : 1;
}

int unpack_markers(struct unpack *u, struct err *e) {
  if (u->marker_count == 0) return 0;
  qsort(u->markers, u->marker_count, sizeof *u->markers, shallow_first);
  for (size_t first = 0, end; first < u->marker_count; first = end) {
    for (end = first; end < u->marker_count && depth(u->markers[end]) == depth(u->markers[first]);) end++;
    for (int opaques = 1; opaques >= 0; opaques--) /* an opaque directory needs no whiteouts in it */
      for (size_t i = first; i < end; i++)
        if (one_marker(u, u->markers[i], opaques == 1, e) < 0) return err_in(e, "marker %.300s", u->markers[i]);
  }
  return 0;
}

/** A whiteout of it or of what it lies in, or an opaque directory above it (its own mark leaves the directory itself). */
bool unpack_is_hidden(const struct unpack *u, const char *path) {
  char marker[PATH_MAX + 8], *found = marker;
  if (u->marker_count == 0 || strlen(path) >= PATH_MAX) return false;
  for (size_t at = 0, end = 0; path[at] != 0; at = end + (path[end] == '/')) {
    end = at + strcspn(path + at, "/");
    snprintf(marker, sizeof marker, "%.*s.wh.%.*s", (int)at, path, (int)(end - at), path + at);
    if (bsearch(&found, u->markers, u->marker_count, sizeof *u->markers, shallow_first) != NULL) return true;
    if (path[end] == 0) break;
    snprintf(marker, sizeof marker, "%.*s/.wh..wh..opq", (int)end, path);
    if (bsearch(&found, u->markers, u->marker_count, sizeof *u->markers, shallow_first) != NULL) return true;
  }
  return false;
}
