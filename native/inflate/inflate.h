/** Decodes raw deflate streams (RFC 1951) in pieces of any size: no memory of its own, no call outside of this folder. */
#ifndef STRATA_INFLATE_H
#define STRATA_INFLATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How far a match reaches back; so much of the output buffer lies before what a call gives. */
enum { INFLATE_WINDOW = 1 << 15 };

/** Tables of the largest complete codes: zlib's `enough` for 288 symbols at 11 bits, 32 at 8, 19 at 7. */
enum { LITLEN_BITS = 11, OFFSET_BITS = 8, PRECODE_BITS = 7, LITLEN_ROOM = 2342, OFFSET_ROOM = 402, PRECODE_ROOM = 128 };
enum { LITLEN_SYMBOLS = 288, OFFSET_SYMBOLS = 32, PRECODE_SYMBOLS = 19 };

enum inflate_phase {
  INFLATE_BLOCK,
  INFLATE_STORED_LENGTH,
  INFLATE_STORED,
  INFLATE_COUNTS,
  INFLATE_PRECODE,
  INFLATE_LENGTHS,
  INFLATE_SYMBOLS,
  INFLATE_END,
  INFLATE_BROKEN,
};

/** A decoder between two calls. All zeros is one that has not begun. */
struct inflate {
  uint64_t bits; /* taken from the input and not yet decoded, the next one lowest */
  uint32_t count;
  uint32_t phase;
  const char *error;
  uint32_t window;      /* bytes before the output that matches may reach */
  uint32_t filled;      /* how much the last call put out */
  uint32_t stored;      /* left of a stored block */
  uint32_t match;       /* left of a match that the output had no room for */
  uint32_t distance;
  bool last;
  bool fixed; /* the tables are those of fixed codes */
  uint32_t litlens, offsets, precodes, read; /* of a dynamic block's header */
  uint8_t lengths[LITLEN_SYMBOLS + OFFSET_SYMBOLS];
  uint16_t sorted[LITLEN_SYMBOLS];
  uint32_t litlen[LITLEN_ROOM];
  uint32_t offset[OFFSET_ROOM];
  uint32_t precode[PRECODE_ROOM];
};

struct inflate_input {
  const uint8_t *next, *end;
};

/**
 * Decodes until the output is full, the input is used up, or the stream ends (phase END) or is broken (phase BROKEN,
 * `error` says how). `buffer` is the same in every call and holds INFLATE_WINDOW + `room` bytes; what comes out stands
 * behind the window. Gives how many bytes came out and moves `in->next` behind the last byte that was needed.
 */
size_t inflate_some(struct inflate *s, struct inflate_input *in, uint8_t *buffer, size_t room);

#endif
