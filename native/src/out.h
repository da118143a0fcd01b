/**
 * Writes JSON lines. Everything written is valid UTF-8 with control characters escaped, whatever the bytes were; a line
 * leaves in one write where it fits a pipe.
 */
#ifndef STRATA_OUT_H
#define STRATA_OUT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct out {
  char *data;
  size_t length, capacity;
  bool failed; /* no memory: the line is dropped as a whole */
  bool comma;  /* the next member needs a comma before it */
};

void out_open(struct out *o, char bracket);
void out_close(struct out *o, char bracket);
void out_key(struct out *o, const char *key);
void out_string(struct out *o, const char *bytes, size_t length);
void out_text(struct out *o, const char *key, const char *text); /* NULL is null */
void out_number(struct out *o, const char *key, int64_t number);
void out_bool(struct out *o, const char *key, bool value);

/** A path as `key`; bytes that are not UTF-8 are replaced there and carried whole by `keyBase64`. */
void out_path(struct out *o, const char *key, const char *bytes, size_t length);

/** Ends the line and keeps it; out_write sends what was kept. For many lines at once. */
void out_line(struct out *o);
int out_write(struct out *o, int fd);

/** Ends the line and writes it to `fd`; the buffer is empty afterwards and can be used again. -1 with errno. */
int out_flush(struct out *o, int fd);
void out_free(struct out *o);

/** `{"error":{"text","errno","status"}}` as one line. */
void out_error(int fd, const struct err *e);

#endif
