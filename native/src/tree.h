/** Removes directory trees that somebody else filled: never follows a link, never leaves the tree, needs two descriptors for any depth. */
#ifndef STRATA_TREE_H
#define STRATA_TREE_H
#include "err.h"

/** Removes `name` in the directory `parent`, whatever it is. A name that is not there is fine. */
int tree_remove(int parent, const char *name, struct err *e);

/** Empties the open directory `dir`. */
int tree_empty(int dir, struct err *e);

#endif
