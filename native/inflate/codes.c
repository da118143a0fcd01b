/** Decoding tables: one lookup for codes as long as the table has bits, a second one in a subtable for longer codes. */
#include "codes.h"
#include <string.h>

enum { MAX_LENGTH = 15 };

#define LITERAL(n) (ENTRY_LITERAL | (uint32_t)(n) << 16)
#define BASE(base, extra) ((uint32_t)(base) << 16 | (extra))
#define UNUSED (ENTRY_EXCEPTIONAL | ENTRY_INVALID)

/** RFC 1951, 3.2.5. */
static const uint32_t litlen_tail[LITLEN_SYMBOLS - 256] = {
    ENTRY_EXCEPTIONAL | ENTRY_END,
    BASE(3, 0), BASE(4, 0), BASE(5, 0), BASE(6, 0), BASE(7, 0), BASE(8, 0), BASE(9, 0), BASE(10, 0),
    BASE(11, 1), BASE(13, 1), BASE(15, 1), BASE(17, 1), BASE(19, 2), BASE(23, 2), BASE(27, 2), BASE(31, 2),
    BASE(35, 3), BASE(43, 3), BASE(51, 3), BASE(59, 3), BASE(67, 4), BASE(83, 4), BASE(99, 4), BASE(115, 4),
    BASE(131, 5), BASE(163, 5), BASE(195, 5), BASE(227, 5), BASE(258, 0), UNUSED, UNUSED,
};
static const uint32_t offset_results[OFFSET_SYMBOLS] = {
    BASE(1, 0), BASE(2, 0), BASE(3, 0), BASE(4, 0), BASE(5, 1), BASE(7, 1), BASE(9, 2), BASE(13, 2),
    BASE(17, 3), BASE(25, 3), BASE(33, 4), BASE(49, 4), BASE(65, 5), BASE(97, 5), BASE(129, 6), BASE(193, 6),
    BASE(257, 7), BASE(385, 7), BASE(513, 8), BASE(769, 8), BASE(1025, 9), BASE(1537, 9), BASE(2049, 10), BASE(3073, 10),
    BASE(4097, 11), BASE(6145, 11), BASE(8193, 12), BASE(12289, 12), BASE(16385, 13), BASE(24577, 13), UNUSED, UNUSED,
};

static uint32_t litlen_result(unsigned symbol) { return symbol < 256 ? LITERAL(symbol) : litlen_tail[symbol - 256]; }
static uint32_t offset_result(unsigned symbol) { return offset_results[symbol]; }
static uint32_t precode_result(unsigned symbol) { return BASE(symbol, 0); }

/** Adds the length of the code: to the bits taken, and as the part of them that is the code. */
static uint32_t entry_of(uint32_t result, unsigned length) { return result + (length << 8) + length; }

/** The next code of its length, in the order in which codes are assigned, its bits in the order in which they are read. */
static uint32_t next_code(uint32_t code, unsigned length) {
  uint32_t zeros = code ^ ((1u << length) - 1);
  uint32_t bit = 1u << (31 - __builtin_clz(zeros));
  return (code & (bit - 1)) | bit;
}

/** zlib takes a code that is not complete only where it is a single code of one bit, or none at all. */
static void fill_sparse(uint32_t *table, unsigned bits, const uint32_t *result) {
  for (uint32_t i = 0; i < 1u << bits; i++) table[i] = (i & 1) == 0 && result != NULL ? entry_of(*result, 1) : entry_of(UNUSED, 1);
}

static inline __attribute__((always_inline)) bool build(uint32_t *table, uint32_t room, unsigned bits, const uint8_t *lengths, unsigned symbols, uint32_t (*result)(unsigned), bool may_be_sparse, uint16_t *sorted) {
  uint32_t counts[MAX_LENGTH + 1] = {0}, offsets[MAX_LENGTH + 2];
  for (unsigned i = 0; i < symbols; i++) counts[lengths[i]]++;
  int32_t left = 1;
  offsets[1] = 0;
  for (unsigned length = 1; length <= MAX_LENGTH; length++) {
    left = left * 2 - (int32_t)counts[length];
    if (left < 0) return false;
    offsets[length + 1] = offsets[length] + counts[length];
  }
  uint32_t used = offsets[MAX_LENGTH + 1];
  if (left > 0 && !(may_be_sparse && (used == 0 || counts[1] == used))) return false;
  for (unsigned i = 0; i < symbols; i++)
    if (lengths[i] != 0) sorted[offsets[lengths[i]]++] = (uint16_t)i;
  if (left > 0) {
    uint32_t only = used == 0 ? 0 : result(sorted[0]);
    fill_sparse(table, bits, used == 0 ? NULL : &only);
    return true;
  }

  unsigned length = 1;
  while (counts[length] == 0) length++;
  uint32_t code = 0, end = 1u << length, count = counts[length];
  const uint16_t *next = sorted;
  /* A table of as many bits as the codes so far have; for longer ones it is doubled. */
  while (length <= bits) {
    for (; count > 0; count--) {
      table[code] = entry_of(result(*next++), length);
      if (code == (1u << length) - 1) {
        for (; length < bits; length++, end *= 2) memcpy(table + end, table, end * sizeof *table);
        return true;
      }
      code = next_code(code, length);
    }
    while (count == 0) {
      if (++length <= bits) {
        memcpy(table + end, table, end * sizeof *table);
        end *= 2;
      }
      count = counts[length];
    }
  }
  uint32_t mask = (1u << bits) - 1, prefix = UINT32_MAX, start = 0;
  end = 1u << bits;
  for (;;) {
    if ((code & mask) != prefix) {
      unsigned below = length - bits;
      uint32_t space = count;
      while (space < 1u << below) {
        below++;
        space = space * 2 + counts[bits + below];
      }
      prefix = code & mask;
      start = end;
      end = start + (1u << below);
      if (end > room) return false;
      table[prefix] = start << 16 | ENTRY_EXCEPTIONAL | ENTRY_SUBTABLE | below << 8 | bits;
    }
    uint32_t entry = entry_of(result(*next++), length - bits);
    for (uint32_t i = start + (code >> bits); i < end; i += 1u << (length - bits)) table[i] = entry;
    if (code == (1u << length) - 1) return true;
    code = next_code(code, length);
    count--;
    while (count == 0) count = counts[++length];
  }
}

bool codes_of_block(struct inflate *s) {
  return build(s->litlen, LITLEN_ROOM, LITLEN_BITS, s->lengths, s->litlens, litlen_result, true, s->sorted) &&
         build(s->offset, OFFSET_ROOM, OFFSET_BITS, s->lengths + s->litlens, s->offsets, offset_result, true, s->sorted);
}

bool codes_of_lengths(struct inflate *s) {
  return build(s->precode, PRECODE_ROOM, PRECODE_BITS, s->lengths, PRECODE_SYMBOLS, precode_result, false, s->sorted);
}

void codes_fixed(struct inflate *s) {
  memset(s->lengths, 8, 144);
  memset(s->lengths + 144, 9, 112);
  memset(s->lengths + 256, 7, 24);
  memset(s->lengths + 280, 8, 8);
  memset(s->lengths + LITLEN_SYMBOLS, 5, OFFSET_SYMBOLS);
  s->litlens = LITLEN_SYMBOLS;
  s->offsets = OFFSET_SYMBOLS;
  (void)codes_of_block(s);
}
