/** The marks that overlayfs reads and writes: whiteouts, opaque directories. */
#ifndef STRATA_OVERLAY_MARKS_H
#define STRATA_OVERLAY_MARKS_H
#include <stdbool.h>
#include <sys/stat.h>

/** A character device 0:0. */
static inline bool mark_is_whiteout(const struct stat *st) { return S_ISCHR(st->st_mode) && st->st_rdev == 0; }

/** "trusted.overlay.NAME", in a user namespace "user.overlay.NAME". */
#define MARK(user, name) ((user) ? "user.overlay." name : "trusted.overlay." name)

#endif
