/** Reads config.json once more and lays the options over it. */
#include "exec_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "own.h"

/** A process file replaces all of `process`; what it does not say of capabilities and privileges stays the container's. */
static int read_process(struct spec *s, struct json_document *d, const char *path, struct err *e) {
  size_t length;
  OWN_MEMORY char *text = file_read(AT_FDCWD, path, JSON_MAX_BYTES - 16, &length);
  OWN_MEMORY char *whole = malloc(JSON_MAX_BYTES);
  if (text == NULL || whole == NULL) return err_set(e, errno, "read %s", path);
  memcpy(whole, "{\"process\":", 11);
  memcpy(whole + 11, text, length);
  whole[length + 11] = '}';
  if (json_read(d, whole, length + 12, e) < 0) return err_in(e, "%s", path);
  struct pick top = {.d = d, .object = json_root(d), .name = "", .e = e};
  s->user = NULL;
  s->group_count = s->rlimit_count = 0;
  s->terminal = false;
  list_free(&s->args);
  list_free(&s->env);
  return spec_read_process(s, &top, e) < 0 ? err_in(e, "%s", path) : 0;
}

static int name_length(const char *entry) { return (int)strcspn(entry, "="); }

/** `NAME=value` in place of the entry of that name, or behind the others. */
static int add_variable(struct list *env, const char *entry, struct err *e) {
  int length = name_length(entry);
  for (uint32_t i = 0; i < env->count; i++)
    if (name_length(env->items[i]) == length && strncmp(env->items[i], entry, (size_t)length) == 0) return env->items[i] = entry, 0;
  const char **grown = realloc(env->items, (env->count + 2) * sizeof *grown);
  if (grown == NULL) return err_set(e, ENOMEM, "the environment");
  grown[env->count++] = entry;
  grown[env->count] = NULL;
  env->items = grown;
  return 0;
}

static int take_command(struct spec *s, const struct exec_options *o, struct err *e) {
  list_free(&s->args);
  s->args.items = calloc((size_t)o->command_count + 1, sizeof *s->args.items);
  if (s->args.items == NULL) return err_set(e, ENOMEM, "the command");
  for (int i = 0; i < o->command_count; i++) s->args.items[i] = o->command[i];
  s->args.count = (uint32_t)o->command_count;
  return 0;
}

static bool has_variable(const struct list *env, const char *name) {
  for (uint32_t i = 0; i < env->count; i++)
    if ((size_t)name_length(env->items[i]) == strlen(name) && strncmp(env->items[i], name, strlen(name)) == 0) return true;
  return false;
}

int exec_spec_read(struct spec *s, struct json_document *process, const char *config, size_t length, const struct exec_options *o, struct err *e) {
  if (spec_read(s, config, length, e) < 0) return -1;
  list_free(&s->instead);
  s->terminal = false;
  s->rows = s->columns = 0;
  if (o->process != NULL && read_process(s, process, o->process, e) < 0) return -1;
  if (o->command_count > 0 && take_command(s, o, e) < 0) return -1;
  for (int i = 0; i < o->env.count; i++)
    if (strchr(o->env.items[i], '=') != NULL && add_variable(&s->env, o->env.items[i], e) < 0) return -1;
  s->terminal |= o->tty;
  if (s->terminal && !has_variable(&s->env, "TERM") && add_variable(&s->env, "TERM=xterm", e) < 0) return -1;
  if (o->user != NULL) {
    s->user = o->user;
    s->group_count = 0;
  }
  if (o->privileged) {
    s->bounding = s->permitted = s->effective = ~0ULL;
    s->no_new_privileges = false;
    s->unconfined = true;
  }
  if (o->cwd != NULL) s->cwd = o->cwd;
  return s->cwd[0] == '/' ? 0 : err_set(e, 0, "the working directory %.200s is not an absolute path", s->cwd);
}
