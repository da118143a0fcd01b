/** `pause`, `resume` and `update`: what is done to a container that runs. */
#ifndef STRATA_PAUSE_H
#define STRATA_PAUSE_H
#include <stdbool.h>

#include "resources.h"
#include "err.h"

/** Stops every process of a container that runs, or lets them go on: by its cgroup, of which they do not know, else by signals. */
int pause_main(const char *root, const char *id, bool paused, struct err *e);

/** Changes limits; what is not given stays. */
int update_main(const char *root, const char *id, const struct resources *limits, struct err *e);

#endif
