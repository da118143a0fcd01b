/**
 * The inner loop of inflate.c: symbols for which there is certainly enough input and room, so that neither is looked at in
 * between. Included by it, and by nothing else; once a processor, with FAST_SYMBOLS as the name to give and FAST_TARGET.
 */
#ifndef STRATA_FAST_H
#define STRATA_FAST_H

/** Bytes of input that one turn may load, and bytes of room that it may write to: three literals, a match, 40 beyond it. */
enum { FAST_INPUT = 32, FAST_OUTPUT = 320 };

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

static inline uint64_t load64(const uint8_t *from) {
  uint64_t value;
  memcpy(&value, from, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  value = __builtin_bswap64(value);
#endif
  return value;
}

static inline void copy8(uint8_t *to, const uint8_t *from) { memcpy(to, from, 8); }

/** Copies a match from `distance` before `to`, and up to 31 bytes beyond its end. */
static inline void fast_copy(uint8_t *to, const uint8_t *end, uint32_t distance) {
  const uint8_t *from = to - distance;
  if (LIKELY(distance >= 8)) {
    copy8(to, from);
    copy8(to + 8, from + 8);
    copy8(to + 16, from + 16);
    for (to += 24, from += 24; to < end; to += 16, from += 16) {
      copy8(to, from);
      copy8(to + 8, from + 8);
    }
  } else if (distance == 1) {
    uint8_t byte = *from;
    for (; to < end; to += 32) memset(to, byte, 32);
  } else {
    for (; to < end; to += distance, from += distance) copy8(to, from);
  }
}

#endif

FAST_TARGET static enum step FAST_SYMBOLS(struct inflate *s, struct run *r) {
  uint64_t bits = r->bits, saved;
  uint32_t count = r->count; /* what stands above its lowest byte means nothing */
  const uint8_t *in = r->in, *const in_last = r->in_end - FAST_INPUT, *const low = r->low;
  uint8_t *out = r->out, *const out_last = r->out_end - FAST_OUTPUT;
  const uint32_t *const litlen = s->litlen, *const offsets = s->offset;
  enum step step = STEP_ON;
  uint32_t entry;

/* 56 to 63 bits afterwards. */
#define REFILL() (bits |= load64(in) << (count & 63), in += 7 - ((count >> 3) & 7), count |= 56)
#define NEXT() (entry = litlen[bits & ((1u << LITLEN_BITS) - 1)])
#define TAKE() (saved = bits, bits >>= (uint8_t)entry, count -= entry)
/* The base and the extra bits of what was just taken. */
#define VALUE() ((entry >> 16) + (uint32_t)((saved & (((uint64_t)1 << (uint8_t)entry) - 1)) >> (uint8_t)(entry >> 8)))

  REFILL();
  NEXT();
  do {
    /* The entry at hand is of the next symbol already: while one is looked up, the one before it is put out. */
    TAKE();
    if (entry & ENTRY_LITERAL) {
      uint32_t literal = entry >> 16;
      NEXT();
      TAKE();
      *out++ = (uint8_t)literal;
      if (entry & ENTRY_LITERAL) {
        literal = entry >> 16;
        NEXT();
        TAKE();
        *out++ = (uint8_t)literal;
        if (entry & ENTRY_LITERAL) {
          *out++ = (uint8_t)(entry >> 16);
          REFILL();
          NEXT();
          continue;
        }
      }
    }
    if (UNLIKELY(entry & ENTRY_EXCEPTIONAL)) {
      if (entry & ENTRY_SUBTABLE) {
        entry = litlen[(entry >> 16) + low_bits(bits, entry >> 8 & 0xf)];
        TAKE();
      }
      if (entry & ENTRY_LITERAL) {
        *out++ = (uint8_t)(entry >> 16);
        REFILL();
        NEXT();
        continue;
      }
      if (entry & ENTRY_EXCEPTIONAL) {
        step = entry & ENTRY_INVALID ? broken(s, "invalid literal/length code") : end_block(s);
        break;
      }
    }
    uint32_t length = VALUE();
    /* At least 14 bits are left: three codes with all extra bits take 42. A distance takes up to 28. */
    entry = offsets[bits & ((1u << OFFSET_BITS) - 1)];
    if (UNLIKELY((uint8_t)count < 28)) REFILL();
    TAKE();
    if (UNLIKELY(entry & ENTRY_EXCEPTIONAL)) {
      if (entry & ENTRY_SUBTABLE) {
        entry = offsets[(entry >> 16) + low_bits(bits, entry >> 8 & 0xf)];
        TAKE();
      }
      if (entry & ENTRY_EXCEPTIONAL) {
        step = broken(s, "invalid distance code");
        break;
      }
    }
    uint32_t distance = VALUE();
    if (UNLIKELY(distance > (size_t)(out - low))) {
      step = broken(s, "invalid distance too far back");
      break;
    }
    REFILL();
    NEXT();
    fast_copy(out, out + length, distance);
    out += length;
  } while (in <= in_last && out <= out_last);
#undef REFILL
#undef NEXT
#undef TAKE
#undef VALUE

  r->count = (uint8_t)count;
  r->bits = bits & (((uint64_t)1 << r->count) - 1);
  r->in = in;
  r->out = out;
  return step;
}
#undef FAST_SYMBOLS
#undef FAST_TARGET
