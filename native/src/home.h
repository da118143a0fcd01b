/**
 * The directory of one container below the state root, and its lock. Who holds the lock may change what lies there: the
 * container's monitor as long as there is one, then whoever removes it.
 */
#ifndef STRATA_HOME_H
#define STRATA_HOME_H
#include <limits.h>
#include <stdbool.h>

#include "err.h"

enum { ID_LENGTH = 100 };

struct home {
  char root[PATH_MAX];
  const char *id;
  int dir, lock; /* -1: not open, not held */
};

/** Letters, digits, '_', '+', '-', and '.' after the first: what runc and crun take. */
bool home_id(const char *id);

/** `given`, else STRATA_ROOT/state, /var/lib/strata/state for root, $XDG_DATA_HOME/strata/state for anybody else. */
int home_root(const char *given, char root[PATH_MAX], struct err *e);

/** Makes the directory of a new container and takes its lock. What a creation that died half-way left there is taken over. */
int home_claim(struct home *h, const char *root, const char *id, struct err *e);

/** Opens the directory of a container that exists, without the lock. */
int home_open(struct home *h, const char *root, const char *id, struct err *e);

/** Takes the lock of an open one, waiting at most so many milliseconds. */
int home_lock(struct home *h, int milliseconds, struct err *e);

/** Removes the directory; the lock must be held. Others see it whole or not at all. */
int home_remove(struct home *h, struct err *e);
void home_close(struct home *h);

#endif
