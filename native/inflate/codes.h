/** Decoding tables of Huffman codes. */
#ifndef STRATA_CODES_H
#define STRATA_CODES_H
#include "inflate.h"

/**
 * An entry of a table, after libdeflate's layout: its lowest byte is how many bits it takes, extra bits included; bits 8
 * to 11 are how many of these are the code. With LITERAL the literal stands in bits 16 to 23, otherwise the base of a
 * length or distance in bits 16 to 30. EXCEPTIONAL is the end of the block, an unused code, or a pointer to a subtable,
 * which begins at bits 16 to 30 and has as many bits as bits 8 to 11 say.
 */
#define ENTRY_LITERAL 0x80000000u
#define ENTRY_EXCEPTIONAL 0x8000u
#define ENTRY_SUBTABLE 0x4000u
#define ENTRY_END 0x2000u
#define ENTRY_INVALID 0x1000u

/** Whether the code lengths of a dynamic block are codes; fills the tables. */
bool codes_of_block(struct inflate *s);

/** Whether the lengths of the code-length code are a code; fills its table. */
bool codes_of_lengths(struct inflate *s);

/** Fills the tables with the fixed codes. */
void codes_fixed(struct inflate *s);

#endif
