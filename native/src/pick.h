/** Typed reading of members of a JSON object: absent is fine and changes nothing, another type is an error that names the member. */
#ifndef STRATA_PICK_H
#define STRATA_PICK_H
#include "json.h"

struct list {
  const char **items; /* NULL-ended; the strings live in the document */
  uint32_t count;
};

struct pick {
  const struct json_document *d;
  const struct json *object; /* NULL: nothing is there, every member is absent */
  const char *name;          /* of the object, for errors: "process" */
  struct err *e;
};

/** The object that is the member `key` of another, its `object` NULL where it is absent or null. */
int pick_object(const struct pick *p, const char *key, const char *name, struct pick *inner);
int pick_text(const struct pick *p, const char *key, const char **to);
int pick_bool(const struct pick *p, const char *key, bool *to);
int pick_integer(const struct pick *p, const char *key, int64_t least, int64_t most, int64_t *to);
int pick_list(const struct pick *p, const char *key, struct list *to); /* replaces `to`; freed by list_free */
void list_free(struct list *l);

/** The array that is the member `key`, NULL where it is absent or null. */
int pick_array(const struct pick *p, const char *key, const struct json **to);

#endif
