/** The table reader of args.h. */
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int args_wrong(struct err *e, const char *what) {
  e->status = ERR_USAGE;
  return err_set(e, 0, "%s", what);
}

/** The option that a word names, and the value that is stuck to it ("--name=VALUE"). */
static const struct option *find(const struct option *table, const char *word, const char **value) {
  *value = NULL;
  for (const struct option *o = table; o->name != NULL; o++) {
    size_t length = strlen(o->name);
    if (o->letter != 0 && word[1] == o->letter && word[2] == 0) return o;
    if (strncmp(word, o->name, length) != 0) continue;
    if (word[length] == 0) return o;
    if (word[length] != '=') continue;
    *value = word + length + 1;
    return o;
  }
  return NULL;
}

static int add(struct words *w, const char *value, struct err *e) {
  const char **grown = realloc(w->items, ((size_t)w->count + 1) * sizeof *grown);
  if (grown == NULL) return err_set(e, ENOMEM, "the command line");
  w->items = grown;
  w->items[w->count++] = value;
  return 0;
}

static bool takes_value(const struct option *o) { return o->kind != OPTION_FLAG && o->kind != OPTION_IGNORED_FLAG; }

static int set(const struct option *o, const char *value, struct err *e) {
  if (o->kind == OPTION_FLAG) {
    if (value != NULL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0) return args_wrong(e, "a switch is true or false");
    *(bool *)o->to = value == NULL || strcmp(value, "true") == 0;
  } else if (o->kind == OPTION_TEXT) {
    *(const char **)o->to = value;
  } else if (o->kind == OPTION_WORDS) {
    return add(o->to, value, e);
  }
  return 0;
}

int args_read(struct arguments *a, const struct option *table, bool leading, struct err *e) {
  int kept = 0, i = 0;
  for (; i < a->count; i++) {
    const char *word = a->values[i], *value;
    if (strcmp(word, "--") == 0) {
      i++;
      break;
    }
    if (word[0] != '-' || word[1] == 0) {
      if (leading) break;
      a->values[kept++] = a->values[i];
      continue;
    }
    const struct option *o = find(table, word, &value);
    e->status = ERR_USAGE;
    if (o == NULL) return err_set(e, 0, "there is no option %.100s here", word);
    if (takes_value(o) && value == NULL) {
      if (i + 1 == a->count) return err_set(e, 0, "the option %s needs a value", o->name);
      value = a->values[++i];
    }
    if (set(o, value, e) < 0) return -1;
    e->status = 0;
  }
  while (i < a->count) a->values[kept++] = a->values[i++];
  a->values[kept] = NULL;
  a->count = kept;
  return 0;
}

void words_free(struct words *w) {
  free(w->items);
  *w = (struct words){0};
}

int args_number(const char *text, const char *name, long long least, long long most, long long *to, struct err *e) {
  if (text == NULL) return 0;
  char *end;
  errno = 0;
  long long found = strtoll(text, &end, 10);
  if (errno == 0 && end != text && *end == 0 && found >= least && found <= most) return *to = found, 0;
  e->status = ERR_USAGE;
  return err_set(e, 0, "%s must be a whole number from %lld to %lld", name, least, most);
}
