/**
 * A strict, bounded JSON reader (RFC 8259): no comments, no trailing commas, no duplicate keys, no NUL in strings, no
 * invalid UTF-8. Nothing grows with a number that the text claims: at most JSON_MAX_BYTES in, JSON_MAX_NODES values,
 * JSON_MAX_DEPTH deep. Values are read by walking a tree that lies in one array.
 */
#ifndef STRATA_JSON_H
#define STRATA_JSON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { JSON_MAX_BYTES = 4 << 20, JSON_MAX_NODES = 1 << 17, JSON_MAX_DEPTH = 32, JSON_MAX_KEYS = 1024 };

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
  enum json_type type;
  uint32_t next, child;  /* index of the next sibling and the first child, 0 when there is none */
  uint32_t key, text;    /* offsets of NUL-ended strings in `bytes`; key is 0 outside objects */
  int64_t number;        /* of an integer that fits; `fraction` otherwise */
  bool fraction;
};

struct json_document {
  char *bytes;           /* a copy of the text in which strings were decoded in place; byte 0 is NUL */
  struct json *nodes;    /* node 0 is not used, node 1 is the root */
  uint32_t count, capacity;
};

/** Reads a whole document. The caller frees it with json_free, also after an error. */
int json_read(struct json_document *d, const char *text, size_t length, struct err *e);
void json_free(struct json_document *d);

const struct json *json_root(const struct json_document *d);
const struct json *json_member(const struct json_document *d, const struct json *object, const char *key); /* or NULL */
const struct json *json_first(const struct json_document *d, const struct json *container);
const struct json *json_next(const struct json_document *d, const struct json *node);
const char *json_key(const struct json_document *d, const struct json *node);
const char *json_text(const struct json_document *d, const struct json *node); /* of a string */

#endif
