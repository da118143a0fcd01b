/** The JSON writer of out.h: a growing buffer, an escaper, a base64 for names that are not text. */
#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "utf8.h"

static void put(struct out *o, const char *bytes, size_t length) {
  if (o->failed) return;
  if (o->capacity - o->length < length) {
    size_t wanted = (o->length + length) * 2 + 256;
    char *grown = realloc(o->data, wanted);
    if (grown == NULL) {
      o->failed = true;
      return;
    }
    o->data = grown;
    o->capacity = wanted;
  }
  memcpy(o->data + o->length, bytes, length);
  o->length += length;
}

static void member(struct out *o) {
  if (o->comma) put(o, ",", 1);
  o->comma = true;
}

void out_open(struct out *o, char bracket) {
  member(o);
  put(o, &bracket, 1);
  o->comma = false;
}

void out_close(struct out *o, char bracket) {
  put(o, &bracket, 1);
  o->comma = true;
}

/** How many bytes from here on need no escape, which is most of most texts. */
static size_t plain(const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length && bytes[at] >= 0x20 && bytes[at] < 0x7f && bytes[at] != '"' && bytes[at] != '\\') at++;
  return at;
}

static void escape(struct out *o, char c) {
  static const char named[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
  const char *known = c == 0 ? NULL : strchr(named, c);
  char escaped[8] = {'\\', known == NULL ? 'u' : letters[known - named]};
  put(o, escaped, known != NULL ? 2 : (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned char)c));
}

static void quoted(struct out *o, const char *bytes, size_t length) {
  put(o, "\"", 1);
  for (size_t at = 0; at < length;) {
    size_t same = plain(bytes + at, length - at);
    put(o, bytes + at, same);
    if ((at += same) == length) break;
    size_t width = utf8_width((const unsigned char *)bytes + at, length - at);
    if (width == 0) put(o, "\xef\xbf\xbd", 3);
    else if (width == 1) escape(o, bytes[at]);
    else put(o, bytes + at, width);
    at += width == 0 ? 1 : width;
  }
  put(o, "\"", 1);
}

void out_key(struct out *o, const char *key) {
  member(o);
  quoted(o, key, strlen(key));
  put(o, ":", 1);
  o->comma = false;
}

void out_string(struct out *o, const char *bytes, size_t length) {
  member(o);
  quoted(o, bytes, length);
}

void out_text(struct out *o, const char *key, const char *text) {
  out_key(o, key);
  if (text == NULL) {
    put(o, "null", 4);
    o->comma = true;
  } else {
    out_string(o, text, strlen(text));
  }
}

void out_number(struct out *o, const char *key, int64_t number) {
  char digits[24];
  out_key(o, key);
  put(o, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number));
  o->comma = true;
}

void out_bool(struct out *o, const char *key, bool value) {
  out_key(o, key);
  put(o, value ? "true" : "false", value ? 4 : 5);
  o->comma = true;
}

static void base64(struct out *o, const unsigned char *bytes, size_t length) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  put(o, "\"", 1);
  for (size_t at = 0; at < length; at += 3) {
    size_t left = length - at;
    uint32_t bits = (uint32_t)bytes[at] << 16;
    if (left > 1) bits |= (uint32_t)bytes[at + 1] << 8;
    if (left > 2) bits |= bytes[at + 2];
    char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63], left > 1 ? letters[bits >> 6 & 63] : '=',
                    left > 2 ? letters[bits & 63] : '='};
    put(o, four, 4);
  }
  put(o, "\"", 1);
}

void out_path(struct out *o, const char *key, const char *bytes, size_t length) {
  out_key(o, key);
  out_string(o, bytes, length);
  if (utf8_valid((const unsigned char *)bytes, length)) return;
  char wide[64];
  snprintf(wide, sizeof wide, "%sBase64", key);
  out_key(o, wide);
  base64(o, (const unsigned char *)bytes, length);
  o->comma = true;
}

void out_line(struct out *o) {
  put(o, "\n", 1);
  o->comma = false;
}

int out_write(struct out *o, int fd) {
  int result = o->failed ? -1 : 0;
  if (o->failed) errno = ENOMEM;
  for (size_t at = 0; result == 0 && at < o->length;) {
    ssize_t wrote = write(fd, o->data + at, o->length - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) result = -1;
    else at += (size_t)wrote;
  }
  o->length = 0;
  o->comma = false;
  o->failed = false;
  return result;
}

int out_flush(struct out *o, int fd) {
  out_line(o);
  return out_write(o, fd);
}

void out_free(struct out *o) {
  free(o->data);
  *o = (struct out){0};
}

void out_error(int fd, const struct err *e) {
  struct out o = {0};
  out_open(&o, '{');
  out_key(&o, "error");
  out_open(&o, '{');
  out_text(&o, "text", e->text);
  out_number(&o, "errno", e->number);
  out_number(&o, "status", e->status == 0 ? ERR_FAILED : e->status);
  out_close(&o, '}');
  out_close(&o, '}');
  out_flush(&o, fd);
  out_free(&o);
}
