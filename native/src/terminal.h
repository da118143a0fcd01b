/** The terminal that this process was started on: its size, and raw mode with the way back. */
#ifndef STRATA_TERMINAL_H
#define STRATA_TERMINAL_H
#include <stdbool.h>
#include <termios.h>

#include "spec.h"

struct terminal {
  bool raw;
  struct termios saved;
};

/** No echo, no lines, no signals of keys: all of that is the business of the terminal inside. Nothing where ours is none. */
void terminal_raw(struct terminal *t);
void terminal_restore(struct terminal *t);

/** False where ours is no terminal. */
bool terminal_size(unsigned short *columns, unsigned short *rows);

/** The container's terminal has the size of ours from its first moment on, unless it was given one. */
void terminal_size_into(struct spec *s);

#endif
