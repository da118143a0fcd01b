/**
 * What is known of a container. Its directory holds `state.json`, written once when it was created, `started`, and `exit`,
 * its end. What it is now follows from these and from what the kernel says of its processes, never from a word in a file:
 *   an `exit` file                               stopped, and how
 *   `again` says so, its monitor lives           restarting: it has ended, and is to be started once more
 *   another boot of the machine                  stopped, "lost (reboot)"
 *   its first process lives                      created, running or paused; "monitor died" when nobody watches over it
 *   neither it nor its monitor                   stopped, "monitor died", nobody knows how
 */
#ifndef STRATA_STATE_H
#define STRATA_STATE_H
#include "files.h"
#include "home.h"
#include "json.h"
#include "process.h"

enum status { STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED, STATUS_RESTARTING };

/** How a container ended; `code` is -1 where nobody knows. */
struct ending {
  int64_t code, signal; /* signal: 0 for none */
  bool oom;
  int64_t lost_lines;              /* of the log, for which there was no room */
  const char *finished_at, *error; /* error: why the command could not be started, or NULL */
};

struct state {
  struct json_document document, exit_document; /* the texts below lie in them; exit: of the end, or of the last run's before this one */
  const char *id, *bundle, *boot, *created_at, *cgroup, *log, *warning;
  const struct json *annotations; /* or NULL */
  bool tty, init, monitored;      /* init: our own pid 1; monitored: its monitor lives */
  bool orphaned;                  /* its monitor died in this boot, and nobody tidied up after it */
  struct process process, monitor;
  char started_at[STAMP];         /* empty: not started */
  enum status status;
  bool freezes;                   /* it is paused by its cgroup, not by signals */
  const char *reason;             /* or NULL */
  struct ending ending;           /* of one that is stopped or restarting; else of the run before, code -1 where there was none */
  int64_t restarts;
};

/** Reads and judges. The caller frees with state_free, also after an error. */
int state_read(struct state *s, int dir, struct err *e);
void state_free(struct state *s);

const char *status_name(enum status status);

/** The OCI state with our own object `strata`, as one value. */
void state_print(const struct state *s, struct out *o);

/** `{"exitCode","signal","oomKilled","finishedAt","error","lostLogLines","reason"}` of one that is stopped. */
void state_print_ending(const struct state *s, struct out *o);

/** The files, written by whoever holds the lock. `annotations` lies in `config`. */
struct birth {
  const char *id, *bundle, *cgroup, *log, *warning;
  bool tty, init;
  struct process process, monitor;
  const struct json_document *config;
};
int state_write(int dir, const struct birth *b, bool durable, struct err *e);
int state_write_started(int dir, struct err *e);
/** It was started again so often; `last` is how it ended while it rests, NULL once it runs. */
int state_write_again(int dir, int64_t count, const struct ending *last, struct err *e);
int state_write_ending(int dir, const struct ending *ending, bool durable, struct err *e);

#endif
