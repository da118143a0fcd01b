/** A stack of layer directories looked at from above, as overlayfs does: first name wins, whiteouts and opaque marks end the search. */
#ifndef STRATA_LOWER_H
#define STRATA_LOWER_H
#include <stdbool.h>
#include <sys/stat.h>

#include "err.h"
#include "spec.h"

struct lower_stack {
  int fds[MAX_LAYERS]; /* top first */
  int count;
  bool user;           /* marks are user.overlay.* */
};

/** Which layers take part in one directory, top first. `count` 0: nothing lies below. */
struct lower_view {
  unsigned short layers[MAX_LAYERS];
  int count;
};

int lower_open(struct lower_stack *s, const char *const *paths, int count, bool user, struct err *e);
void lower_close(struct lower_stack *s);
void lower_whole(const struct lower_stack *s, struct lower_view *view);

/**
 * Looks `path` up, the child of a directory that `parent` is the view of. True when it exists: `st` is what is seen,
 * `layer` where it is stored, and `view` (may be NULL) its own view when it is a directory.
 */
bool lower_find(const struct lower_stack *s, const struct lower_view *parent, const char *path, struct stat *st, int *layer, struct lower_view *view);

/** As lower_find from the root, one component after the other; links in the middle are not followed. */
bool lower_walk(const struct lower_stack *s, const char *path, struct stat *st, int *layer);

#endif
