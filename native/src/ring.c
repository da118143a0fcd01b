/** Pieces of at most RING_PIECE bytes; small ones of the same stream grow together, so that headers stay few. */
#include "ring.h"

#include <string.h>

#include "frames.h"

static size_t piece_length(const struct ring *r, size_t at) { return frame_u32(r->data + at + 1); }

static void make_room(struct ring *r, size_t wanted) {
  size_t gone = 0;
  while (RING - (r->used - gone) < wanted) gone += FRAME_HEADER + piece_length(r, gone);
  if (gone == 0) return;
  memmove(r->data, r->data + gone, r->used - gone);
  r->used -= gone;
  r->last = r->last >= gone ? r->last - gone : 0;
}

static void add_piece(struct ring *r, char type, const char *bytes, size_t length) {
  bool grows = r->used > 0 && r->data[r->last] == type && piece_length(r, r->last) + length <= RING_PIECE;
  make_room(r, FRAME_HEADER + length);
  if (!grows || r->used == 0) {
    r->last = r->used;
    frame_header(r->data + r->used, type, 0);
    r->used += FRAME_HEADER;
  }
  memcpy(r->data + r->used, bytes, length);
  r->used += length;
  frame_header(r->data + r->last, type, piece_length(r, r->last) + length);
}

void ring_add(struct ring *r, char type, const char *bytes, size_t length) {
  for (size_t at = 0; at < length; at += RING_PIECE) add_piece(r, type, bytes + at, length - at < RING_PIECE ? length - at : RING_PIECE);
}
