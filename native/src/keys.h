/** The keys that detach: "ctrl-p,ctrl-q", "ctrl-@", "a". Read from what is typed, whatever pieces it comes in. */
#ifndef STRATA_KEYS_H
#define STRATA_KEYS_H
#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum { KEYS_MOST = 16 };

struct keys {
  char bytes[KEYS_MOST];
  size_t count, matched; /* matched: how many of them were typed and are held back */
};

/** `text` empty: nothing detaches. */
int keys_read(struct keys *k, const char *text, struct err *e);

/**
 * Moves what was typed to `to` (room for KEYS_MOST more bytes than `length`), without what may be the beginning of the
 * sequence. True when the sequence is complete: the rest is dropped.
 */
bool keys_pass(struct keys *k, const char *typed, size_t length, char *to, size_t *passed);

/** Nothing more was typed for a while: what was held back is what the person meant. */
size_t keys_release(struct keys *k, char *to);

#endif
