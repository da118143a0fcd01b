/** Whether a container that has ended is started again, and when: docker's restart policies and its pauses between. Pure. */
#ifndef STRATA_AGAIN_H
#define STRATA_AGAIN_H
#include <stdint.h>

enum again_policy { AGAIN_NO, AGAIN_ON_FAILURE, AGAIN_ALWAYS };

struct again {
  enum again_policy policy;
  int64_t most;          /* times, of AGAIN_ON_FAILURE; 0: no limit */
  int64_t count, pause;  /* how often it was, and the last pause */
};

/** `word` of a config: "no", "on-failure", "always", "unless-stopped", which here is the same; -1 for any other. */
int again_policy_of(const char *word);

/**
 * It ended with `code` after so many milliseconds: -1, or the milliseconds until it is to be started again, which is
 * counted. 100 ms, twice as long each time up to a minute; from the beginning when it ran for ten seconds.
 */
int64_t again_after(struct again *a, int64_t code, int64_t lived);

#endif
