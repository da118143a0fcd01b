/** A connection to a container's monitor, from the outside. */
#ifndef STRATA_CONTACT_H
#define STRATA_CONTACT_H
#include "frames.h"
#include "home.h"

/** Connects and blocks. -1 where no monitor listens. */
int contact_open(const struct home *home, struct err *e);
int contact_send(int fd, char type, const void *bytes, size_t length, struct err *e);

/** Has the container started; what it says meanwhile is dropped. Errors are the monitor's, with their exit status. */
int contact_start(int fd, struct err *e);

/** The error that an 'n' frame tells. Gives -1. */
int contact_not_started(const struct frame *f, struct err *e);

/** The whole of `start` and `resize`. */
/** This run is its last, whatever its policy is, and with `keep` it is not removed at its end: back when the monitor knows. */
int contact_last(const struct home *home, bool keep, struct err *e);

/** Waits for the end of this run, or the next one where it rests: its exit status. -1 when nobody could tell. */
int contact_wait(const struct home *home, struct err *e);

int contact_start_main(const char *root, const char *id, struct err *e);
int contact_resize_main(const char *root, const char *id, int columns, int rows, struct err *e);

#endif
