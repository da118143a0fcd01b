/** `watch`: what an upper directory changes, and then what changes in that, as it happens. */
#ifndef STRATA_WATCH_H
#define STRATA_WATCH_H
#include "diff.h"

/**
 * JSON lines to stdout until stdin ends or the directory is removed: one `{"op":"A|C|D","path",...}` for everything that
 * `diff` would tell, then batches of what became different, `{"op":"-","path"}` for what is a change no longer; each batch
 * is closed by `{"sync":n}`. A line "sync" on stdin has everything looked at again and is answered by `{"sync":n,"asked":true}`.
 * At each sync the lines together say what `diff` would say. 0, or -1.
 */
int watch_main(const struct diff_options *o, struct err *e);

#endif
