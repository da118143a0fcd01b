/** The compression function as the instructions want it: two halves ABEF and CDGH of the state, four rounds a step. */
#include "sha256.h"
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

#define SHA __attribute__((target("sha,sse4.1,ssse3")))

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

bool sha256_can(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_SSE4_1) == 0 || (c & bit_SSSE3) == 0) return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

/** One stream on its way through whole blocks. */
struct lane {
  __m128i abef, cdgh;
  const uint8_t *next;
};

SHA static inline struct lane lane_open(const struct sha256 *s, const uint8_t *bytes) {
  __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&s->state[0]), 0xb1);
  __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&s->state[4]), 0x1b);
  return (struct lane){_mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xf0), bytes};
}

SHA static inline void lane_close(const struct lane *l, struct sha256 *s) {
  __m128i feba = _mm_shuffle_epi32(l->abef, 0x1b), dchg = _mm_shuffle_epi32(l->cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)&s->state[0], _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)&s->state[4], _mm_alignr_epi8(dchg, feba, 8));
}

/** Where a lane stands within a block. */
struct block {
  __m128i w[4], abef, cdgh;
};

SHA static inline void block_open(struct block *b, struct lane *l) {
  const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (int i = 0; i < 4; i++) b->w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(l->next + 16 * i)), swap);
  b->abef = l->abef;
  b->cdgh = l->cdgh;
  l->next += SHA256_BLOCK;
}

/** Rounds 4i to 4i + 3, and the words for those 16 later. `i` is known when this is compiled. */
SHA static inline __attribute__((always_inline)) void four_rounds(struct block *b, struct lane *l, const int i) {
  __m128i now = b->w[i & 3], both = _mm_add_epi32(now, _mm_load_si128((const __m128i *)&constants[4 * i]));
  l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, both);
  l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(both, 0x0e));
  if (i >= 12) return;
  __m128i behind = _mm_alignr_epi8(b->w[(i + 3) & 3], b->w[(i + 2) & 3], 4);
  __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, b->w[(i + 1) & 3]), behind);
  b->w[i & 3] = _mm_sha256msg2_epu32(sum, b->w[(i + 3) & 3]);
}

SHA static inline void block_close(const struct block *b, struct lane *l) {
  l->abef = _mm_add_epi32(l->abef, b->abef);
  l->cdgh = _mm_add_epi32(l->cdgh, b->cdgh);
}

SHA static void whole_blocks(struct sha256 *s, const uint8_t *bytes, size_t blocks) {
  struct lane l = lane_open(s, bytes);
  struct block b;
  for (; blocks > 0; blocks--) {
    block_open(&b, &l);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) four_rounds(&b, &l, i);
    block_close(&b, &l);
  }
  lane_close(&l, s);
}

SHA static void whole_blocks_of_two(struct sha256 *s, const uint8_t *s_bytes, struct sha256 *t, const uint8_t *t_bytes, size_t blocks) {
  struct lane l = lane_open(s, s_bytes), m = lane_open(t, t_bytes);
  struct block b, c;
  for (; blocks > 0; blocks--) {
    block_open(&b, &l);
    block_open(&c, &m);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
      four_rounds(&b, &l, i);
      four_rounds(&c, &m, i);
    }
    block_close(&b, &l);
    block_close(&c, &m);
  }
  lane_close(&l, s);
  lane_close(&m, t);
}

/** Begins a digest, and completes the block that is not whole yet; gives how many bytes that took. */
static size_t complete(struct sha256 *s, const uint8_t *bytes, size_t length) {
  if (s->bytes == 0) memcpy(s->state, initial, sizeof initial);
  size_t filled = s->bytes % SHA256_BLOCK;
  if (filled == 0) return 0;
  size_t part = SHA256_BLOCK - filled < length ? SHA256_BLOCK - filled : length;
  memcpy(s->rest + filled, bytes, part);
  s->bytes += part;
  if (filled + part == SHA256_BLOCK) whole_blocks(s, s->rest, 1);
  return part;
}

/** What is left of a piece whose first blocks are done: more whole blocks, and a part of one. */
static void finish(struct sha256 *s, const uint8_t *bytes, size_t length, size_t done) {
  size_t blocks = length / SHA256_BLOCK;
  if (blocks > done) whole_blocks(s, bytes + done * SHA256_BLOCK, blocks - done);
  memcpy(s->rest, bytes + blocks * SHA256_BLOCK, length % SHA256_BLOCK);
  s->bytes += length;
}

void sha256_add(struct sha256 *s, const uint8_t *bytes, size_t length) {
  if (length == 0) return;
  size_t part = complete(s, bytes, length);
  if (part < length) finish(s, bytes + part, length - part, 0);
}

void sha256_add_two(struct sha256 *a, const uint8_t *a_bytes, size_t a_length, struct sha256 *b, const uint8_t *b_bytes, size_t b_length) {
  if (a_length == 0) return sha256_add(b, b_bytes, b_length);
  if (b_length == 0) return sha256_add(a, a_bytes, a_length);
  size_t a_part = complete(a, a_bytes, a_length), b_part = complete(b, b_bytes, b_length);
  a_length -= a_part;
  b_length -= b_part;
  size_t both = (a_length < b_length ? a_length : b_length) / SHA256_BLOCK;
  if (both > 0) whole_blocks_of_two(a, a_bytes + a_part, b, b_bytes + b_part, both);
  if (a_length > 0) finish(a, a_bytes + a_part, a_length, both);
  if (b_length > 0) finish(b, b_bytes + b_part, b_length, both);
}

void sha256_end(struct sha256 *s, uint8_t digest[32]) {
  static const uint8_t padding[SHA256_BLOCK] = {0x80};
  if (s->bytes == 0) memcpy(s->state, initial, sizeof initial);
  uint64_t bits = s->bytes * 8;
  uint8_t length[8];
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_add(s, padding, 1 + (55 - s->bytes % SHA256_BLOCK + SHA256_BLOCK) % SHA256_BLOCK);
  sha256_add(s, length, 8);
  for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

#else

bool sha256_can(void) { return false; }
void sha256_add(struct sha256 *s, const uint8_t *bytes, size_t length) { (void)s, (void)bytes, (void)length; }
void sha256_add_two(struct sha256 *a, const uint8_t *a_bytes, size_t a_length, struct sha256 *b, const uint8_t *b_bytes, size_t b_length) {
  sha256_add(a, a_bytes, a_length);
  sha256_add(b, b_bytes, b_length);
}
void sha256_end(struct sha256 *s, uint8_t digest[32]) { (void)s, (void)digest; }

#endif
