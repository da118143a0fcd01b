/** `pack`: what an upper directory changes, as a layer's tar. */
#ifndef STRATA_PACK_H
#define STRATA_PACK_H
#include "err.h"

/**
 * Reads from standard input what is to be in the tar: a letter ('A', 'C', 'D', as `diff` says them), a path with a leading
 * slash, a NUL, and so on; a directory before what is in it. Writes the tar to standard output. A 'D' becomes a `.wh.` marker.
 */
int pack_main(const char *upper, struct err *e);

#endif
