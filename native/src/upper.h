/** One name of an upper directory against what the layers below have there: the rules that `diff` and `watch` share. */
#ifndef STRATA_UPPER_H
#define STRATA_UPPER_H
#include "lower.h"

/** In what an entry differs from the one below: LAYERS.md's reasons. */
enum { WHY_TYPE = 1, WHY_MODE = 2, WHY_OWNER = 4, WHY_DEVICE = 8, WHY_CONTENT = 16, WHY_TIME = 32, WHY_XATTR = 64 };

struct upper_entry {
  struct stat st;    /* of the entry; of a removed one what lies below */
  char letter;       /* 'A', 'C', 'D'; 0: no change, or a whiteout over nothing */
  unsigned why;      /* WHY_* of a C */
  int layer;         /* where the entry below is stored, -1: there is none */
  int64_t below;     /* its size, of a regular file; 0 otherwise */
  bool whiteout;
};

/**
 * Looks at `name` in the upper directory `parent`; `path` is its whole path, `view` the layers that have the directory.
 * `own` becomes the view of the entry itself. A copy-up that changed nothing and a whiteout over nothing have no letter.
 * -1 with errno: ENOENT where the name is gone.
 */
int upper_look(const struct lower_stack *lower, const struct lower_view *view, int parent, const char *name, const char *path,
               struct upper_entry *entry, struct lower_view *own);

/** An open directory hides what the layers below have in it. */
bool upper_opaque(const struct lower_stack *lower, int fd);

/** An open directory was renamed by overlayfs itself (redirect_dir, which we never set): most of what is in it lies elsewhere below. */
bool upper_redirected(const struct lower_stack *lower, int fd);

/** "file", "dir", "symlink", "char", "block", "fifo", "socket". */
const char *upper_type(mode_t mode);

#endif
