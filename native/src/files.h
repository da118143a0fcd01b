/** Small files of a directory that several processes read: replaced as a whole or not at all, read with a bound. */
#ifndef STRATA_FILES_H
#define STRATA_FILES_H
#include <stdbool.h>
#include <time.h>

#include "err.h"
#include "out.h"

enum { STAMP = 40 };

/** `name` in `dir` becomes the one line in `o`, mode 0600. `durable`: it outlives the machine's power. */
int file_replace(int dir, const char *name, struct out *o, bool durable, struct err *e);

/** Makes room for a file that file_replace is to write some day when the disk may be full. */
int file_reserve(int dir, const char *name, struct err *e);

/** The same of bytes as they are, never durable. */
int file_copy(int dir, const char *name, const char *bytes, size_t length, struct err *e);

/** The file as a string, at most `most` bytes; the caller frees. NULL with errno. */
char *file_read(int dir, const char *name, size_t most, size_t *length);

/** Now as RFC 3339 with nanoseconds, in UTC. */
void stamp_now(char text[STAMP]);
void stamp_of(const struct timespec *time, char text[STAMP]);

#endif
