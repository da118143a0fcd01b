/**
 * Fuzzes inflate: however a stream is cut, and whether the fast loop or the careful one decodes it, the same must come out.
 * Input and output lie in blocks of exactly their size, so that the sanitizers see a step too far. The files are raw
 * deflate streams.
 */
#include "inflate.h"
#include "mutate.h"
#include "sha256.h"

enum { MOST = 1 << 16 };

struct outcome {
  uint8_t *bytes;
  size_t length, consumed;
  uint32_t phase;
};

static uint32_t any_size(uint32_t most) {
  uint32_t size = 1 + mutate_random(mutate_random(2) == 0 ? 9 : most);
  return size;
}

/** `most` 0: everything in one piece, into room for everything. */
static struct outcome inflate_all(const uint8_t *bytes, size_t length, uint32_t most) {
  struct outcome outcome = {.bytes = malloc(MOST + 1)};
  struct inflate *s = calloc(1, sizeof *s);
  /* Little room is slow: the window moves for every few bytes. */
  uint32_t room = most == 0 ? MOST : mutate_random(8) == 0 ? any_size(most) : 300 + mutate_random(3000);
  uint8_t *buffer = malloc((size_t)INFLATE_WINDOW + room);
  if (outcome.bytes == NULL || s == NULL || buffer == NULL) abort();
  while (outcome.consumed < length && s->phase != INFLATE_END && s->phase != INFLATE_BROKEN && outcome.length < MOST) {
    size_t part = most == 0 ? length : any_size(most);
    if (part > length - outcome.consumed) part = length - outcome.consumed;
    uint8_t *piece = malloc(part);
    if (piece == NULL) abort();
    memcpy(piece, bytes + outcome.consumed, part);
    struct inflate_input in = {piece, piece + part};
    size_t got;
    do {
      got = inflate_some(s, &in, buffer, room);
      if (got > room || in.next > in.end || in.next < piece) abort();
      size_t kept = got > MOST - outcome.length ? MOST - outcome.length : got;
      memcpy(outcome.bytes + outcome.length, buffer + INFLATE_WINDOW, kept);
      outcome.length += kept;
      if (got < room && in.next < in.end && s->phase != INFLATE_END && s->phase != INFLATE_BROKEN) abort();
    } while (got == room && outcome.length < MOST);
    outcome.consumed += (size_t)(in.next - piece);
    free(piece);
  }
  outcome.phase = s->phase;
  free(s);
  free(buffer);
  return outcome;
}

static void target(unsigned char *bytes, size_t length) {
  struct outcome whole = inflate_all(bytes, length, 0), cut = inflate_all(bytes, length, 700);
  if (whole.length < MOST) {
    if (whole.phase == INFLATE_END && (cut.phase != INFLATE_END || cut.consumed != whole.consumed)) abort();
    if ((whole.phase == INFLATE_BROKEN) != (cut.phase == INFLATE_BROKEN)) abort();
    if (whole.phase != INFLATE_BROKEN && cut.length != whole.length) abort();
  }
  if (cut.length < whole.length ? memcmp(cut.bytes, whole.bytes, cut.length) : memcmp(cut.bytes, whole.bytes, whole.length)) abort();
  if (sha256_can()) {
    struct sha256 once = {0}, two = {0}, other = {0};
    uint8_t a[32], b[32];
    size_t half = mutate_random((uint32_t)length + 1);
    sha256_add(&once, bytes, length);
    sha256_add_two(&two, bytes, half, &other, whole.bytes, whole.length);
    sha256_add_two(&other, whole.bytes, whole.length / 3, &two, bytes + half, length - half);
    sha256_end(&once, a);
    sha256_end(&two, b);
    if (memcmp(a, b, 32) != 0) abort();
  }
  free(whole.bytes);
  free(cut.bytes);
}

int main(int argc, char **argv) { return mutate_main(argc, argv, target, NULL); }
