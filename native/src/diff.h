/** `diff`: what an upper directory changes, by LAYERS.md "The upper layer of a container". */
#ifndef STRATA_DIFF_H
#define STRATA_DIFF_H
#include <stdbool.h>

#include "err.h"

struct diff_options {
  const char *upper;
  const char *const *lower; /* top first */
  int lower_count;
  bool user;                /* marks are user.overlay.* also though we are root */
};

/** One JSON line a change to stdout: {"change","path","type","size"}; a directory comes before what is in it. 0, or -1. */
int diff_main(const struct diff_options *o, struct err *e);

#endif
