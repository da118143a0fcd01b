/** SHA-256 (FIPS 180-4) with the SHA instructions of x86, one stream or two at once. */
#ifndef STRATA_SHA256_H
#define STRATA_SHA256_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_BLOCK = 64 };

/** A digest that is being made. All zeros is one that has not begun. */
struct sha256 {
  uint32_t state[8]; /* as FIPS 180-4 has it; all zeros before the first byte */
  uint64_t bytes;
  uint8_t rest[SHA256_BLOCK]; /* of a block that is not whole yet */
};

/** Whether this processor can; nothing else here may be called where it can not. */
bool sha256_can(void);

void sha256_add(struct sha256 *s, const uint8_t *bytes, size_t length);

/** Adds to two digests in about the time that the longer one takes: either alone mostly waits for itself. */
void sha256_add_two(struct sha256 *a, const uint8_t *a_bytes, size_t a_length, struct sha256 *b, const uint8_t *b_bytes, size_t b_length);

/** Nothing may be added any more. */
void sha256_end(struct sha256 *s, uint8_t digest[32]);

#endif
