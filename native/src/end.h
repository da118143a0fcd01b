/** `kill`, `wait` and `delete`: the ends of a container as others bring them about. */
#ifndef STRATA_END_H
#define STRATA_END_H
#include <stdbool.h>

#include "err.h"

/** The number of "TERM", "SIGTERM", "15", "RTMIN+1"; -1 for none. */
int end_signal(const char *name);

/** To its first process, which hands it on to the command; `all`: to every process of it. */
struct end_how {
  bool all;  /* every process, not the first one alone */
  bool last; /* and it is not started again; one that has ended meanwhile is fine */
  bool keep; /* nor removed at its end; with `last` */
};
int end_kill(const char *root, const char *id, int signal_number, const struct end_how *how, struct err *e);

/** Waits for the end and prints `{"exitCode":N,"signal":…}`; null where nobody knows. */
int end_wait(const char *root, const char *id, struct err *e);

/** `force`: also one that runs, and one that is not there. */
int end_delete(const char *root, const char *id, bool force, struct err *e);

#endif
