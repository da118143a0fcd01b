/** Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef STRATA_UTF8_H
#define STRATA_UTF8_H
#include <stdbool.h>
#include <stddef.h>

/** Bytes of the character at `s` (1 to 4), 0 when there is none. */
static inline size_t utf8_width(const unsigned char *s, size_t length) {
  if (length == 0) return 0;
  if (s[0] < 0x80) return 1;
  size_t width = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4 || length < width) return 0;
  for (size_t i = 1; i < width; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if (s[0] == 0xe0 && s[1] < 0xa0) return 0;
  if (s[0] == 0xed && s[1] > 0x9f) return 0;
  if (s[0] == 0xf0 && s[1] < 0x90) return 0;
  if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
  return width;
}

static inline bool utf8_valid(const unsigned char *s, size_t length) {
  for (size_t at = 0; at < length;) {
    size_t width = utf8_width(s + at, length - at);
    if (width == 0) return false;
    at += width;
  }
  return true;
}

#endif
