/** Whiteouts and opaque directories of a layer's tar, in the form that overlayfs reads (LAYERS.md, stacking rules 1 to 4). */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "overlay_marks.h"
#include "own.h"
#include "sys.h"
#include "tree.h"
#include "unpack.h"

static bool is_opaque(const struct unpack *u, int dir) {
  char value[2];
  return fgetxattr(dir, MARK(u->maps != NULL, "opaque"), value, sizeof value) == 1 && value[0] == 'y';
}

/** Whiteouts inside an opaque directory hide nothing, and some readers would list them. */
static int drop_whiteouts(struct unpack *u, int dir, struct err *e) {
  int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OWN_DIR list = copy < 0 ? NULL : fdopendir(copy);
  if (list == NULL) return err_set(e, errno, "list the directory");
  for (struct dirent *d; (d = readdir(list)) != NULL;) {
    struct stat st;
    if (d->d_type != DT_CHR && d->d_type != DT_UNKNOWN) continue;
    if (fstatat(copy, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !mark_is_whiteout(&st)) continue;
    if (unlinkat(copy, d->d_name, 0) < 0) return err_set(e, errno, "drop a whiteout");
    u->whiteouts--;
  }
  return 0;
}

int unpack_opaque(struct unpack *u, int dir, struct err *e) {
  if (u->options->bottom || is_opaque(u, dir)) return 0;
  if (fsetxattr(dir, MARK(u->maps != NULL, "opaque"), "y", 1, 0) < 0)
    return err_set(e, errno, errno == EOPNOTSUPP ? "this file system can not hold %s attributes: mark a directory opaque" : "mark a directory opaque (%s)",
                   u->maps != NULL ? "user" : "trusted");
  u->opaques++;
  return drop_whiteouts(u, dir, e);
}

static int whiteout(struct unpack *u, int parent, const char *hidden, struct err *e) {
  struct stat st;
  OWN_FD dir = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return err_set(e, errno, "open its directory");
  if (u->options->bottom || is_opaque(u, dir)) return 0;
  if (fstatat(dir, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!S_ISDIR(st.st_mode)) return 0; /* this layer's own file hides the lower one already */
    OWN_FD own = openat(dir, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return own < 0 ? err_set(e, errno, "open the directory it names") : unpack_opaque(u, own, e);
  }
  if (mknodat(dir, hidden, S_IFCHR, 0) < 0) return err_set(e, errno, "make a whiteout");
  u->whiteouts++;
  return 0;
}

int unpack_marker(struct unpack *u, const char *path, struct err *e) {
  const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
  if (strncmp(name, ".wh.", 4) != 0 || name[4] == 0) return 0;
  const char *hidden = name + 4;
  if (strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0) return err_set(e, 0, "a whiteout of \"%s\"", hidden);
  bool opaque = strcmp(hidden, ".wh..opq") == 0;
  if (strncmp(hidden, ".wh.", 4) == 0 && !opaque) return 1; /* AUFS's own: hides at most a name that nobody sees */
  if (u->options->bottom && !opaque) return 1;
  OWN_FD parent = unpack_parent(u, path, &name, false, e);
  if (parent == -2) return 1; /* its directory is hidden itself, or is a file of this layer */
  if (parent < 0) return -1;
  if (!opaque) return whiteout(u, parent, hidden, e) < 0 ? -1 : 1;
  OWN_FD dir = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return err_set(e, errno, "open its directory");
  return unpack_opaque(u, dir, e) < 0 ? -1 : 1;
}
