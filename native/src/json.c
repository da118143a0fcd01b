/** The reader of json.h: recursive descent over a private copy, strings decoded in place (they only ever shrink). */
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

struct reader {
  struct json_document *d;
  size_t at, end;
  struct err *e;
};

static uint32_t value(struct reader *r, int depth);

static uint32_t failed(struct reader *r, const char *what) {
  err_set(r->e, 0, "JSON: %s at byte %zu", what, r->at - 1);
  return 0;
}

static int peek(struct reader *r) {
  while (r->at < r->end && strchr(" \t\r\n", r->d->bytes[r->at]) != NULL && r->d->bytes[r->at] != 0) r->at++;
  return r->at < r->end ? (unsigned char)r->d->bytes[r->at] : -1;
}

static uint32_t node(struct reader *r, enum json_type type) {
  struct json_document *d = r->d;
  if (d->count >= JSON_MAX_NODES) return failed(r, "too many values");
  if (d->count == d->capacity) {
    uint32_t wanted = d->capacity * 2;
    struct json *grown = realloc(d->nodes, wanted * sizeof *grown);
    if (grown == NULL) return failed(r, "out of memory");
    d->nodes = grown;
    d->capacity = wanted;
  }
  d->nodes[d->count] = (struct json){.type = type};
  return d->count++;
}

static int hex4(const struct reader *r, size_t at) {
  if (r->end - at < 4) return -1;
  int sum = 0;
  for (size_t i = at; i < at + 4; i++) {
    char c = r->d->bytes[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    sum = sum * 16 + digit;
  }
  return sum;
}

/** A \u escape at `r->at` (after the u), with its low surrogate; -1 when it is none or U+0000. */
static int32_t unicode(struct reader *r) {
  int high = hex4(r, r->at);
  if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff)) return -1;
  r->at += 4;
  if (high < 0xd800 || high > 0xdbff) return high;
  if (r->end - r->at < 6 || r->d->bytes[r->at] != '\\' || r->d->bytes[r->at + 1] != 'u') return -1;
  int low = hex4(r, r->at + 2);
  if (low < 0xdc00 || low > 0xdfff) return -1;
  r->at += 6;
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static size_t encode(char *to, int32_t c) {
  if (c < 0x80) return to[0] = (char)c, 1;
  if (c < 0x800) return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
  if (c < 0x10000)
    return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)), to[2] = (char)(0x80 | (c & 63)), 3;
  to[0] = (char)(0xf0 | c >> 18), to[1] = (char)(0x80 | (c >> 12 & 63));
  to[2] = (char)(0x80 | (c >> 6 & 63)), to[3] = (char)(0x80 | (c & 63));
  return 4;
}

/** Decodes the string whose quote is at `r->at`; gives its offset, 0 after an error. Escapes are never shorter than what they mean. */
static uint32_t string(struct reader *r) {
  char *bytes = r->d->bytes;
  size_t start = ++r->at, to = start;
  while (r->at < r->end && bytes[r->at] != '"') {
    unsigned char c = (unsigned char)bytes[r->at];
    if (c < 0x20) return failed(r, "a control character in a string");
    if (c != '\\') {
      size_t width = utf8_width((unsigned char *)bytes + r->at, r->end - r->at);
      if (width == 0) return failed(r, "not UTF-8");
      while (width-- > 0) bytes[to++] = bytes[r->at++];
      continue;
    }
    if (++r->at == r->end) break;
    static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    char escape = bytes[r->at++];
    const char *known = escape == 0 ? NULL : strchr(names, escape);
    if (known != NULL) {
      bytes[to++] = means[known - names];
      continue;
    }
    int32_t point = escape == 'u' ? unicode(r) : -1;
    if (point < 0) return failed(r, "a bad escape");
    to += encode(bytes + to, point);
  }
  if (r->at >= r->end) return failed(r, "a string without an end");
  r->at++;
  bytes[to] = 0;
  return (uint32_t)start;
}

static bool digits(struct reader *r) {
  size_t start = r->at;
  while (r->at < r->end && r->d->bytes[r->at] >= '0' && r->d->bytes[r->at] <= '9') r->at++;
  return r->at > start;
}

static uint32_t number(struct reader *r) {
  char *bytes = r->d->bytes;
  uint32_t index = node(r, JSON_NUMBER);
  if (index == 0) return 0;
  bool negative = bytes[r->at] == '-';
  if (negative) r->at++;
  size_t start = r->at;
  if (!digits(r) || (bytes[start] == '0' && r->at - start > 1)) return failed(r, "a bad number");
  bool fraction = false;
  uint64_t sum = 0;
  for (size_t i = start; i < r->at && !fraction; i++) {
    uint64_t digit = (uint64_t)(bytes[i] - '0');
    if (sum > ((uint64_t)INT64_MAX - digit) / 10) fraction = true;
    else sum = sum * 10 + digit;
  }
  if (r->at < r->end && bytes[r->at] == '.') {
    r->at++;
    fraction = true;
    if (!digits(r)) return failed(r, "a bad number");
  }
  if (r->at < r->end && (bytes[r->at] == 'e' || bytes[r->at] == 'E')) {
    r->at++;
    fraction = true;
    if (r->at < r->end && (bytes[r->at] == '+' || bytes[r->at] == '-')) r->at++;
    if (!digits(r)) return failed(r, "a bad number");
  }
  r->d->nodes[index].fraction = fraction;
  r->d->nodes[index].number = fraction ? 0 : negative ? -(int64_t)sum : (int64_t)sum;
  return index;
}

static uint32_t word(struct reader *r) {
  static const struct { const char *text; enum json_type type; } words[] = {
      {"null", JSON_NULL}, {"true", JSON_TRUE}, {"false", JSON_FALSE}};
  for (size_t i = 0; i < 3; i++) {
    size_t length = strlen(words[i].text);
    if (r->end - r->at < length || memcmp(r->d->bytes + r->at, words[i].text, length) != 0) continue;
    r->at += length;
    return node(r, words[i].type);
  }
  return failed(r, "not a value");
}

static bool key_is_new(const struct reader *r, uint32_t first, uint32_t key) {
  const struct json_document *d = r->d;
  for (uint32_t i = first; i != 0; i = d->nodes[i].next)
    if (strcmp(d->bytes + d->nodes[i].key, d->bytes + key) == 0) return false;
  return true;
}

static uint32_t container(struct reader *r, bool object, int depth) {
  if (depth >= JSON_MAX_DEPTH) return failed(r, "nested too deeply");
  uint32_t index = node(r, object ? JSON_OBJECT : JSON_ARRAY), last = 0, members = 0;
  if (index == 0) return 0;
  char close = object ? '}' : ']';
  r->at++;
  if (peek(r) == close) return r->at++, index;
  for (;;) {
    uint32_t key = 0;
    if (object) {
      if (peek(r) != '"') return failed(r, "a key is missing");
      if ((key = string(r)) == 0) return 0;
      if (++members > JSON_MAX_KEYS) return failed(r, "too many keys in one object");
      if (!key_is_new(r, r->d->nodes[index].child, key)) return failed(r, "a key twice");
      if (peek(r) != ':') return failed(r, "a colon is missing");
      r->at++;
    }
    uint32_t child = value(r, depth + 1);
    if (child == 0) return 0;
    r->d->nodes[child].key = key;
    if (last == 0) r->d->nodes[index].child = child;
    else r->d->nodes[last].next = child;
    last = child;
    int c = peek(r);
    if (c == close) return r->at++, index;
    if (c != ',') return failed(r, "a comma is missing");
    r->at++;
  }
}

static uint32_t value(struct reader *r, int depth) {
  int c = peek(r);
  if (c == '{' || c == '[') return container(r, c == '{', depth);
  if (c == '-' || (c >= '0' && c <= '9')) return number(r);
  if (c != '"') return word(r);
  uint32_t index = node(r, JSON_STRING);
  uint32_t text = index == 0 ? 0 : string(r);
  if (text == 0) return 0;
  r->d->nodes[index].text = text;
  return index;
}

int json_read(struct json_document *d, const char *text, size_t length, struct err *e) {
  *d = (struct json_document){.count = 1, .capacity = 64};
  if (length > JSON_MAX_BYTES) return err_set(e, 0, "JSON: more than %d bytes", JSON_MAX_BYTES);
  d->bytes = malloc(length + 2);
  d->nodes = calloc(d->capacity, sizeof *d->nodes);
  if (d->bytes == NULL || d->nodes == NULL) return err_set(e, ENOMEM, "JSON");
  d->bytes[0] = 0;
  memcpy(d->bytes + 1, text, length);
  d->bytes[length + 1] = 0;
  struct reader r = {.d = d, .at = 1, .end = length + 1, .e = e};
  if (value(&r, 0) == 0) return -1;
  if (peek(&r) != -1) return failed(&r, "something after the end"), -1;
  return 0;
}

void json_free(struct json_document *d) {
  free(d->bytes);
  free(d->nodes);
  *d = (struct json_document){0};
}

static const struct json *at(const struct json_document *d, uint32_t index) { return index == 0 ? NULL : d->nodes + index; }

const struct json *json_root(const struct json_document *d) { return at(d, 1); }
const struct json *json_first(const struct json_document *d, const struct json *container) { return at(d, container->child); }
const struct json *json_next(const struct json_document *d, const struct json *node) { return at(d, node->next); }
const char *json_key(const struct json_document *d, const struct json *node) { return d->bytes + node->key; }
const char *json_text(const struct json_document *d, const struct json *node) { return d->bytes + node->text; }

const struct json *json_member(const struct json_document *d, const struct json *object, const char *key) {
  if (object == NULL || object->type != JSON_OBJECT) return NULL;
  for (const struct json *m = json_first(d, object); m != NULL; m = json_next(d, m))
    if (strcmp(json_key(d, m), key) == 0) return m;
  return NULL;
}
