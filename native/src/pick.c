/** The getters of pick.h. */
#include "pick.h"

#include <errno.h>
#include <stdlib.h>

static const struct json *member(const struct pick *p, const char *key) {
  const struct json *m = json_member(p->d, p->object, key);
  return m == NULL || m->type == JSON_NULL ? NULL : m;
}

static int wrong(const struct pick *p, const char *key, const char *wanted) {
  return err_set(p->e, 0, "config: %s%s%s must be %s", p->name, p->name[0] == 0 ? "" : ".", key, wanted);
}

int pick_object(const struct pick *p, const char *key, const char *name, struct pick *inner) {
  const struct json *m = member(p, key);
  *inner = (struct pick){.d = p->d, .object = m, .name = name, .e = p->e};
  return m != NULL && m->type != JSON_OBJECT ? wrong(p, key, "an object") : 0;
}

int pick_text(const struct pick *p, const char *key, const char **to) {
  const struct json *m = member(p, key);
  if (m == NULL) return 0;
  if (m->type != JSON_STRING) return wrong(p, key, "a string");
  *to = json_text(p->d, m);
  return 0;
}

int pick_bool(const struct pick *p, const char *key, bool *to) {
  const struct json *m = member(p, key);
  if (m == NULL) return 0;
  if (m->type != JSON_TRUE && m->type != JSON_FALSE) return wrong(p, key, "true or false");
  *to = m->type == JSON_TRUE;
  return 0;
}

int pick_integer(const struct pick *p, const char *key, int64_t least, int64_t most, int64_t *to) {
  const struct json *m = member(p, key);
  if (m == NULL) return 0;
  if (m->type != JSON_NUMBER || m->fraction || m->number < least || m->number > most)
    return err_set(p->e, 0, "config: %s.%s must be a whole number from %lld to %lld", p->name, key, (long long)least,
                   (long long)most);
  *to = m->number;
  return 0;
}

int pick_array(const struct pick *p, const char *key, const struct json **to) {
  const struct json *m = member(p, key);
  *to = m;
  return m != NULL && m->type != JSON_ARRAY ? wrong(p, key, "a list") : 0;
}

int pick_list(const struct pick *p, const char *key, struct list *to) {
  const struct json *array;
  if (pick_array(p, key, &array) < 0) return -1;
  if (array == NULL) return 0;
  uint32_t count = 0;
  for (const struct json *m = json_first(p->d, array); m != NULL; m = json_next(p->d, m)) count++;
  list_free(to);
  to->items = calloc(count + 1, sizeof *to->items);
  if (to->items == NULL) return err_set(p->e, ENOMEM, "config");
  for (const struct json *m = json_first(p->d, array); m != NULL; m = json_next(p->d, m)) {
    if (m->type != JSON_STRING) return wrong(p, key, "a list of strings");
    to->items[to->count++] = json_text(p->d, m);
  }
  return 0;
}

void list_free(struct list *l) {
  free(l->items);
  *l = (struct list){0};
}
