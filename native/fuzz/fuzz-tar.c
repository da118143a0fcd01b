/** Fuzzes the tar reader. Checksums are mended most of the time, or hardly any damage would get past them. */
#include "mutate.h"
#include "tar.h"

struct memory {
  const unsigned char *bytes;
  size_t length, at;
};

static ssize_t from_memory(void *context, void *to, size_t length) {
  struct memory *m = context;
  size_t part = m->length - m->at < length ? m->length - m->at : length;
  if (part > 700) part = 700; /* short reads, as a pipe gives them */
  memcpy(to, m->bytes + m->at, part);
  m->at += part;
  return (ssize_t)part;
}

static void repair(unsigned char *bytes, size_t length) {
  for (size_t at = 0; at + TAR_BLOCK <= length; at += TAR_BLOCK) {
    unsigned sum = 0;
    if (bytes[at] == 0 || bytes[at + 257] != 'u') continue;
    memset(bytes + at + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) sum += bytes[at + (size_t)i];
    char digits[8];
    snprintf(digits, sizeof digits, "%06o", sum & 0777777);
    memcpy(bytes + at + 148, digits, 7);
  }
}

static void target(unsigned char *bytes, size_t length) {
  unsigned char *copy = malloc(length == 0 ? 1 : length);
  if (copy == NULL) return;
  memcpy(copy, bytes, length);
  struct memory m = {copy, length, 0};
  struct tar *t = tar_open(from_memory, &m);
  struct tar_entry entry;
  struct err e = {0};
  char body[3000];
  int got = -1;
  while (t != NULL && (got = tar_next(t, &entry, &e)) == 1) {
    int64_t end = 0;
    if (strlen(entry.path) + strlen(entry.link) > 2 * TAR_MAX_NAME || entry.size < 0) abort();
    for (int i = 0; i < entry.piece_count; i++) {
      if (entry.pieces[i].offset < end || entry.pieces[i].offset + entry.pieces[i].length > entry.size) abort();
      end = entry.pieces[i].offset + entry.pieces[i].length;
    }
    if (mutate_random(2) == 0)
      while (tar_read(t, body, sizeof body, &e) > 0) continue;
  }
  if (got < 0 && e.text[0] == 0) abort();
  tar_close(t);
  free(copy);
}

int main(int argc, char **argv) { return mutate_main(argc, argv, target, repair); }
