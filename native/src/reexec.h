/** The helper runs from a sealed copy of itself, so that nothing inside a container can write to the one on disk. */
#ifndef STRATA_REEXEC_H
#define STRATA_REEXEC_H
#include "err.h"

/** Returns in the sealed copy only (CVE-2019-5736), or with an error. Costs about 0.3 ms. */
int reexec_sealed(char **argv, struct err *e);

/** Nothing of the caller's comes along: descriptors 3 and up but `keep` closed, 0 to 2 open, signals and umask as new. */
int reexec_clean(int keep, struct err *e);

#endif
