/** What the caller keeps of a container beside its state: removed by whoever sees the container's end. */
#ifndef STRATA_LEAVINGS_H
#define STRATA_LEAVINGS_H
#include "args.h"

struct leavings {
  const char *id;      /* of the container */
  struct words names;  /* files that hold the id: removed where they still do */
  struct words paths;  /* files and directories, in this order */
  struct words volumes, anonymous; /* folders of volumes: this container is no user of theirs any more; anonymous ones go with their last user */
};

bool leavings_any(const struct leavings *l);

/** Removes them: volumes, names, paths; in a user namespace with the sub-ids when we are not root. */
void leavings_remove(struct leavings *l);
void leavings_free(struct leavings *l);

#endif
