/**
 * Errors as values. A function that can fail takes a `struct err *` last, fills it and gives -1 (or NULL). Nobody below
 * main.c ends the process. The text is one sentence: what failed, on what, why.
 */
#ifndef STRATA_ERR_H
#define STRATA_ERR_H
#include <stddef.h>

enum { ERR_FAILED = 1, ERR_USAGE = 2, ERR_SETUP = 125, ERR_NOT_EXECUTABLE = 126, ERR_NOT_FOUND = 127 };

struct err {
  int status; /* exit status of the process, one of ERR_*; 0 means ERR_FAILED */
  int number; /* errno behind it, 0 when there is none */
  char text[1024];
};

/** Fills `e` with a sentence and, when `number` is not 0, the system's words for it. Always gives -1. */
__attribute__((format(printf, 3, 4))) int err_set(struct err *e, int number, const char *format, ...);

/** Puts context before a sentence that is there already ("layer 3: ..."). Always gives -1. */
__attribute__((format(printf, 2, 3))) int err_in(struct err *e, const char *format, ...);

#endif
