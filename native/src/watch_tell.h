/** The lines of `watch`. */
#ifndef STRATA_WATCH_TELL_H
#define STRATA_WATCH_TELL_H
#include "out.h"
#include "watch_scan.h"

/**
 * Tells what is different from what was told before, directories before what is in them, and forgets what is nothing any
 * more. Gives the number of lines, -1 when they can not be written.
 */
long watch_tell(struct watch *w, struct out *o, int64_t now);

#endif
