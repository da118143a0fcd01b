/**
 * A container's health check: a command in it every so often, by its monitor. What became of the last five lies in the
 * file `health` of the container's directory: {"status","failingStreak","log":[{"start","end","exitCode","output"}]}.
 */
#ifndef STRATA_HEALTH_H
#define STRATA_HEALTH_H
#include "files.h"
#include "spec.h"

enum { HEALTH_RESULTS = 5, HEALTH_OUTPUT = 4096 };

struct health_result {
  char start[STAMP], end[STAMP];
  int64_t code; /* -1: it took too long, or could not be run */
  size_t used;
  bool cut;     /* it said more than there is room for */
  char output[HEALTH_OUTPUT];
};

struct health {
  const struct health_spec *spec; /* of the run that is now; NULL: there is none */
  const char *root, *id;
  int dir;                        /* the container's directory */
  bool healthy, unhealthy;        /* neither: starting */
  int64_t streak, begun, due, deadline;
  pid_t probe;                    /* 0: none is under way */
  int output;                     /* of the probe, or -1 */
  bool late;
  int count;                      /* of `results`, oldest first; the probe under way writes into `now` */
  struct health_result results[HEALTH_RESULTS], now;
};

/** The container's command runs. Times are milliseconds of the monotonic clock. What was found in runs before stays. */
void health_begin(struct health *h, const struct health_spec *spec, int64_t now);

/** Milliseconds until health_tick has something to do, -1: nothing until something else happens. */
int64_t health_wait(const struct health *h, int64_t now);

/** Starts a probe that is due and ends one that takes too long; while the container is paused there is neither. */
void health_tick(struct health *h, int64_t now, bool paused);

/** The probe said something. */
void health_hear(struct health *h);

/** True when it was the probe that ended. */
bool health_reaped(struct health *h, pid_t pid, int wait_status, int64_t now, bool paused);

/** The container has ended, and with it the probe. */
void health_end(struct health *h);

#endif
