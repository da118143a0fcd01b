/** What a monitor does to itself: signals, standard streams, its place when memory runs out; and its clock. */
#ifndef STRATA_SELF_H
#define STRATA_SELF_H
#include <stdint.h>

enum { SCORE = 16 };

/** Blocks all signals that are not our own faults, and gives a descriptor that tells of them; -1 with errno. */
int self_signals(void);

/** From here on nothing holds on to what we were started with; and we are the last to go when memory runs out. */
void self_let_go(void);

/** The oom_score_adj that we were born with, for what we start; only root may change it. */
void self_keep_score(char score[SCORE]);
void self_set_score(const char *score);

/** Of the monotonic clock. */
int64_t self_milliseconds(void);

#endif
