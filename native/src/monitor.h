/**
 * The process that stays with a container from its creation to its end, whatever becomes of everybody else: it owns the
 * terminal or the pipes, the log, attach.sock, and writes the exit file. It starts the container again where its policy
 * wants that, checks its health, and removes what is left of it where nobody else is to.
 */
#ifndef STRATA_MONITOR_H
#define STRATA_MONITOR_H
#include "home.h"
#include "launch.h"
#include "leavings.h"
#include "log.h"

struct monitor_options {
  const char *id;
  char **argv;
  struct log_options log;
  bool streams;   /* without a terminal: pipes of ours, and not the standard streams we were started with */
  bool no_stdin;  /* the command's standard input is /dev/null */
  bool durable;   /* what is promised outlives the machine's power */
  struct leavings *leavings; /* the container goes when it has ended, and these with it; NULL: it stays */
  const char *console_socket; /* the terminal is handed over there and is not ours; or NULL */
};

/**
 * Makes the container and watches over it to its end. `report` is told once how the making went: SYNC_READY with the pid
 * as its number, or SYNC_ERROR. After an error nothing of the container is left, its home neither.
 */
int monitor_main(struct launch *l, struct home *home, const struct monitor_options *o, int report);

#endif
