/** `state` and `list`: what is known of containers, as JSON lines. */
#ifndef STRATA_LIST_H
#define STRATA_LIST_H
#include "err.h"

int list_one(const char *root, const char *id, struct err *e);

/** Every container; one that is half made or damaged is passed over. */
int list_all(const char *root, struct err *e);

#endif
