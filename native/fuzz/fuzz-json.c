/** Fuzzes the JSON reader and the reader of config.json above it. */
#include "mutate.h"
#include "spec.h"

static void target(unsigned char *bytes, size_t length) {
  /* Exactly as long as it is, so that one byte too far is seen. */
  char *text = malloc(length == 0 ? 1 : length);
  if (text == NULL) return;
  memcpy(text, bytes, length);
  struct spec *s = malloc(sizeof *s);
  struct err e = {0};
  if (s != NULL) {
    if (spec_read(s, text, length, &e) < 0 && e.text[0] == 0) abort(); /* an error without a sentence */
    spec_free(s);
  }
  free(s);
  free(text);
}

int main(int argc, char **argv) { return mutate_main(argc, argv, target, NULL); }
