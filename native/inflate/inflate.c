/**
 * Deflate, in the way of libdeflate (64 bits at a time, wide copies, one table lookup for nearly every code) but in pieces: where
 * input or output runs short the decoder stops between two symbols and goes on in the next call.
 */
#include "codes.h"
#include <string.h>

/** What one call works with, in registers while symbols are decoded. */
struct run {
  uint64_t bits;
  uint32_t count;
  const uint8_t *in, *in_end;
  uint8_t *out, *out_end;
  const uint8_t *low; /* the oldest byte that a match may reach */
};

enum step { STEP_ON, STEP_INPUT, STEP_OUTPUT, STEP_BROKEN };

static enum step broken(struct inflate *s, const char *why) {
  s->error = why;
  s->phase = INFLATE_BROKEN;
  return STEP_BROKEN;
}

static uint32_t low_bits(uint64_t bits, uint32_t n) { return (uint32_t)bits & ((1u << n) - 1); }

static void refill(struct run *r) {
  while (r->count <= 56 && r->in < r->in_end) {
    r->bits |= (uint64_t)*r->in++ << r->count;
    r->count += 8;
  }
}

static bool have(struct run *r, uint32_t n) {
  if (r->count < n) refill(r);
  return r->count >= n;
}

static uint32_t take(struct run *r, uint32_t n) {
  uint32_t value = low_bits(r->bits, n);
  r->bits >>= n;
  r->count -= n;
  return value;
}

static enum step begin_block(struct inflate *s, struct run *r) {
  if (!have(r, 3)) return STEP_INPUT;
  s->last = take(r, 1) != 0;
  switch (take(r, 2)) {
    case 0:
      take(r, r->count & 7);
      s->phase = INFLATE_STORED_LENGTH;
      return STEP_ON;
    case 1:
      if (!s->fixed) codes_fixed(s);
      s->fixed = true;
      s->phase = INFLATE_SYMBOLS;
      return STEP_ON;
    case 2:
      s->fixed = false;
      s->phase = INFLATE_COUNTS;
      return STEP_ON;
    default:
      return broken(s, "invalid block type");
  }
}

static enum step end_block(struct inflate *s) {
  s->phase = s->last ? INFLATE_END : INFLATE_BLOCK;
  return STEP_ON;
}

static enum step stored_length(struct inflate *s, struct run *r) {
  if (!have(r, 32)) return STEP_INPUT;
  s->stored = take(r, 16);
  if (s->stored != (take(r, 16) ^ 0xffff)) return broken(s, "invalid stored block lengths");
  s->phase = INFLATE_STORED;
  return STEP_ON;
}

static enum step stored(struct inflate *s, struct run *r) {
  for (; r->count > 0 && s->stored > 0; s->stored--) {
    if (r->out == r->out_end) return STEP_OUTPUT;
    *r->out++ = (uint8_t)take(r, 8);
  }
  size_t part = s->stored, input = (size_t)(r->in_end - r->in), room = (size_t)(r->out_end - r->out);
  if (part > input) part = input;
  if (part > room) part = room;
  if (part > 0) memcpy(r->out, r->in, part);
  r->in += part;
  r->out += part;
  s->stored -= (uint32_t)part;
  if (s->stored == 0) return end_block(s);
  return part == room ? STEP_OUTPUT : STEP_INPUT;
}

static enum step counts(struct inflate *s, struct run *r) {
  if (!have(r, 14)) return STEP_INPUT;
  s->litlens = take(r, 5) + 257;
  s->offsets = take(r, 5) + 1;
  s->precodes = take(r, 4) + 4;
  if (s->litlens > 286 || s->offsets > 30) return broken(s, "too many length or distance symbols");
  memset(s->lengths, 0, PRECODE_SYMBOLS);
  s->read = 0;
  s->phase = INFLATE_PRECODE;
  return STEP_ON;
}

static enum step precode(struct inflate *s, struct run *r) {
  static const uint8_t order[PRECODE_SYMBOLS] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  for (; s->read < s->precodes; s->read++) {
    if (!have(r, 3)) return STEP_INPUT;
    s->lengths[order[s->read]] = (uint8_t)take(r, 3);
  }
  if (!codes_of_lengths(s)) return broken(s, "invalid code lengths set");
  s->read = 0;
  s->phase = INFLATE_LENGTHS;
  return STEP_ON;
}

static enum step lengths(struct inflate *s, struct run *r) {
  uint32_t all = s->litlens + s->offsets;
  while (s->read < all) {
    static const uint8_t extra[] = {2, 3, 7}, least[] = {3, 3, 11};
    (void)have(r, 14);
    uint32_t entry = s->precode[low_bits(r->bits, PRECODE_BITS)], symbol = entry >> 16, length = entry & 0xff;
    uint32_t more = symbol < 16 ? 0 : extra[symbol - 16];
    if (r->count < length + more) return STEP_INPUT;
    take(r, length);
    if (symbol < 16) {
      s->lengths[s->read++] = (uint8_t)symbol;
      continue;
    }
    uint32_t times = least[symbol - 16] + take(r, more);
    if ((symbol == 16 && s->read == 0) || times > all - s->read) return broken(s, "invalid bit length repeat");
    memset(s->lengths + s->read, symbol == 16 ? s->lengths[s->read - 1] : 0, times);
    s->read += times;
  }
  if (s->lengths[256] == 0) return broken(s, "invalid code -- missing end-of-block");
  if (!codes_of_block(s)) return broken(s, "invalid literal/lengths or distances set");
  s->phase = INFLATE_SYMBOLS;
  return STEP_ON;
}

/** The entry of the code that comes next, and how many bits lead to it besides those that it takes itself. */
static uint32_t look_up(const uint32_t *table, uint32_t bits, uint64_t input, uint32_t *before) {
  uint32_t entry = table[low_bits(input, bits)];
  *before = 0;
  if ((entry & (ENTRY_LITERAL | ENTRY_SUBTABLE)) != ENTRY_SUBTABLE) return entry;
  *before = bits;
  return table[(entry >> 16) + low_bits(input >> bits, entry >> 8 & 0xf)];
}

static uint32_t value_of(uint32_t entry, uint64_t input) {
  return (entry >> 16) + (low_bits(input, entry & 0xff) >> (entry >> 8 & 0xf));
}

/** As much of the pending match as there is room for. */
static enum step copy_match(struct inflate *s, struct run *r) {
  for (; s->match > 0; s->match--, r->out++) {
    if (r->out == r->out_end) return STEP_OUTPUT;
    *r->out = *(r->out - s->distance);
  }
  return STEP_ON;
}

/** One symbol, however little input or room there is: nothing is taken before all of it is there. */
static enum step symbol(struct inflate *s, struct run *r) {
  uint32_t before, before_offset;
  refill(r);
  uint32_t entry = look_up(s->litlen, LITLEN_BITS, r->bits, &before);
  uint32_t length = before + (entry & 0xff);
  if (r->count < length) return STEP_INPUT;
  if (entry & ENTRY_LITERAL) {
    if (r->out == r->out_end) return STEP_OUTPUT;
    *r->out++ = (uint8_t)(entry >> 16);
    take(r, length);
    return STEP_ON;
  }
  if (entry & ENTRY_EXCEPTIONAL) {
    if (entry & ENTRY_INVALID) return broken(s, "invalid literal/length code");
    take(r, length);
    return end_block(s);
  }
  uint64_t rest = r->bits >> length;
  uint32_t offset = look_up(s->offset, OFFSET_BITS, rest, &before_offset);
  uint32_t offset_length = before_offset + (offset & 0xff);
  if (r->count < length + offset_length) return STEP_INPUT;
  if (offset & ENTRY_INVALID && offset & ENTRY_EXCEPTIONAL) return broken(s, "invalid distance code");
  s->match = value_of(entry, r->bits >> before);
  s->distance = value_of(offset, rest >> before_offset);
  if (s->distance > (size_t)(r->out - r->low)) return broken(s, "invalid distance too far back");
  r->bits = rest >> offset_length;
  r->count -= length + offset_length;
  return copy_match(s, r);
}

#define FAST_SYMBOLS fast_symbols
#define FAST_TARGET
#include "fast.h"

/* Shifts that need no fixed register: a twentieth of the time. */
#if defined(__x86_64__)
#define FAST_SYMBOLS fast_symbols_bmi2
#define FAST_TARGET __attribute__((target("bmi,bmi2")))
#include "fast.h"
#define BEST_SYMBOLS(s, r) (__builtin_cpu_supports("bmi2") ? fast_symbols_bmi2(s, r) : fast_symbols(s, r))
#else
#define BEST_SYMBOLS(s, r) fast_symbols(s, r)
#endif

static enum step symbols(struct inflate *s, struct run *r) {
  enum step step = copy_match(s, r);
  while (step == STEP_ON && s->phase == INFLATE_SYMBOLS) {
    if (r->in_end - r->in >= FAST_INPUT && r->out_end - r->out >= FAST_OUTPUT) step = BEST_SYMBOLS(s, r);
    else step = symbol(s, r);
  }
  return step;
}

static enum step go_on(struct inflate *s, struct run *r) {
  switch ((enum inflate_phase)s->phase) {
    case INFLATE_BLOCK: return begin_block(s, r);
    case INFLATE_STORED_LENGTH: return stored_length(s, r);
    case INFLATE_STORED: return stored(s, r);
    case INFLATE_COUNTS: return counts(s, r);
    case INFLATE_PRECODE: return precode(s, r);
    case INFLATE_LENGTHS: return lengths(s, r);
    case INFLATE_SYMBOLS: return symbols(s, r);
    case INFLATE_END: return STEP_INPUT;
    case INFLATE_BROKEN: break;
  }
  return STEP_BROKEN;
}

size_t inflate_some(struct inflate *s, struct inflate_input *in, uint8_t *buffer, size_t room) {
  uint8_t *out = buffer + INFLATE_WINDOW;
  /* What came out last moves in front of what comes out now. */
  uint64_t known = (uint64_t)s->window + s->filled;
  uint32_t window = known < INFLATE_WINDOW ? (uint32_t)known : INFLATE_WINDOW;
  if (s->filled > 0) memmove(out - window, out + s->filled - window, window);
  s->window = window;

  struct run r = {.bits = s->bits, .count = s->count, .in = in->next, .in_end = in->end, .out = out, .out_end = out + room, .low = out - window};
  enum step step = STEP_ON;
  while (step == STEP_ON && s->phase != INFLATE_END) step = go_on(s, &r);

  /* Whole bytes that were taken too early go back, so that whoever reads on behind the stream finds them. */
  if (step != STEP_INPUT || s->phase == INFLATE_END) {
    uint32_t whole = r.count / 8;
    if (whole > (size_t)(r.in - in->next)) whole = (uint32_t)(r.in - in->next);
    r.in -= whole;
    r.count -= whole * 8;
    r.bits &= r.count == 64 ? UINT64_MAX : ((uint64_t)1 << r.count) - 1;
  }
  s->bits = r.bits;
  s->count = r.count;
  s->filled = (uint32_t)(r.out - out);
  in->next = r.in;
  return (size_t)(r.out - out);
}
