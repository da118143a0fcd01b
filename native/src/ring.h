/** The last of what a container has said, for those who attach later. */
#ifndef STRATA_RING_H
#define STRATA_RING_H
#include <stddef.h>

enum { RING = 64 << 10, RING_PIECE = 4 << 10 };

/** Whole 'o' and 'e' frames, the oldest first. */
struct ring {
  size_t used, last; /* last: where the newest frame begins */
  char data[RING];
};

void ring_add(struct ring *r, char type, const char *bytes, size_t length);

#endif
