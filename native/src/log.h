/**
 * The log of a container, as docker's json-file driver writes it: a line of what was said is a line of the file,
 * {"log":"...\n","stream":"stdout","time":"..."}. What is longer than LOG_PIECE comes in several, all but the last without
 * "\n". A disk that is full loses lines, counted, and never holds the container up or leaves half a line.
 */
#ifndef STRATA_LOG_H
#define STRATA_LOG_H
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "out.h"

enum { LOG_PIECE = 16 << 10, LOG_NAME = 256, LOG_FILES_MOST = 1000 };

struct log_options {
  const char *path;        /* NULL: none is kept */
  int64_t max_bytes;       /* of one file; 0: no limit */
  int64_t max_files;       /* all together, the current one too */
};

struct log {
  int dir, fd;             /* fd -1: nothing is written */
  char name[LOG_NAME];
  int64_t size, max_bytes, max_files, lost;
  struct out lines;
  struct { size_t used; char data[LOG_PIECE]; } streams[2]; /* lines that have not ended: stdout, stderr */
};

int log_open(struct log *l, const struct log_options *o, struct err *e);

/** What the container said on stream 0 (stdout) or 1 (stderr). */
void log_add(struct log *l, int stream, const char *bytes, size_t length);

/** Lines that never ended, at the container's end. It may be opened again; what was lost so far is counted on. */
void log_finish(struct log *l);

#endif
