/**
 * A small deterministic fuzzer: seeds are files, each round takes one and damages it. The same seed number gives the
 * same rounds, so a failure can be repeated. Meant to run under the sanitizers, which are what notices.
 */
#ifndef STRATA_MUTATE_H
#define STRATA_MUTATE_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MUTATE_ROOM = 1 << 16 };

struct input {
  unsigned char *bytes;
  size_t length;
};

static uint64_t mutate_state;

static inline uint32_t mutate_random(uint32_t below) {
  mutate_state ^= mutate_state << 13;
  mutate_state ^= mutate_state >> 7;
  mutate_state ^= mutate_state << 17;
  return below == 0 ? 0 : (uint32_t)((mutate_state >> 16) % below);
}

static inline struct input mutate_read(const char *path) {
  struct input in = {0};
  FILE *file = fopen(path, "rb");
  if (file == NULL) return in;
  in.bytes = malloc(MUTATE_ROOM);
  if (in.bytes != NULL) in.length = fread(in.bytes, 1, MUTATE_ROOM / 2, file);
  fclose(file);
  return in;
}

static inline void mutate_once(struct input *in) {
  static const unsigned char odd[] = {0, 0xff, 0x80, '0', '9', '7', ' ', '"', '\\', '{', '[', '-', '/', '.', '=', '\n'};
  uint32_t at = mutate_random((uint32_t)in->length), length;
  switch (in->length == 0 ? 6 : mutate_random(7)) {
    case 0: in->bytes[at] ^= (unsigned char)(1u << mutate_random(8)); break;
    case 1: in->bytes[at] = odd[mutate_random(sizeof odd)]; break;
    case 2: in->bytes[at] = (unsigned char)mutate_random(256); break;
    case 3: in->length = at; break;
    case 4: /* a stretch again, behind itself */
      length = mutate_random((uint32_t)(in->length - at)) % 600;
      if (in->length + length > MUTATE_ROOM) break;
      memmove(in->bytes + at + length, in->bytes + at, in->length - at);
      in->length += length;
      break;
    case 5: /* a stretch out */
      length = mutate_random((uint32_t)(in->length - at)) % 600;
      memmove(in->bytes + at, in->bytes + at + length, in->length - at - length);
      in->length -= length;
      break;
    default:
      if (in->length < MUTATE_ROOM) in->bytes[in->length++] = odd[mutate_random(sizeof odd)];
  }
}

/** `argv`: rounds, seed number, files. Calls `target` with each damaged input; gives the exit status. */
static inline int mutate_main(int argc, char **argv, void (*target)(unsigned char *, size_t), void (*repair)(unsigned char *, size_t)) {
  if (argc < 4) return fprintf(stderr, "usage: ROUNDS SEED FILE...\n"), 2;
  long rounds = atol(argv[1]);
  mutate_state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252ull;
  struct input work = {.bytes = malloc(MUTATE_ROOM)};
  if (work.bytes == NULL) return 1;
  for (int file = 3; file < argc; file++) {
    struct input seed = mutate_read(argv[file]);
    for (long round = 0; seed.bytes != NULL && round < rounds; round++) {
      memcpy(work.bytes, seed.bytes, seed.length);
      work.length = seed.length;
      for (uint32_t i = mutate_random(6); i > 0; i--) mutate_once(&work);
      if (repair != NULL && mutate_random(8) != 0) repair(work.bytes, work.length);
      target(work.bytes, work.length);
    }
    free(seed.bytes);
  }
  free(work.bytes);
  printf("%ld rounds on each of %d files\n", rounds, argc - 3);
  return 0;
}

#endif
