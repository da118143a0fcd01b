/** `features`: what this kernel lets this user do, as one JSON object. */
#ifndef STRATA_FEATURES_H
#define STRATA_FEATURES_H
#include "err.h"

/** Tries things rather than reading versions. Writes one line to stdout; 0, or -1. */
int features_main(struct err *e);

#endif
