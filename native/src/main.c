/** argv -> a verb. The only place that ends the process, and the only one that prints errors. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "features.h"
#include "out.h"
#include "reexec.h"
#include "run.h"
#include "spawn.h"
#include "tree.h"
#include "unpack.h"

static const char usage[] =
    "strata-native VERB: the part of Strata that speaks with the kernel\n"
    "  features                                     what works on this machine, as JSON\n"
    "  run [--bundle DIR] [--pid-file F] [--reply-fd N] ID   a container in the foreground\n"
    "  unpack [--bottom] [--lower DIR]... [--max-bytes N] [--max-entries N] DIR   a layer's tar from stdin into DIR\n"
    "  diff [--user-marks] [--lower DIR]... UPPER   what an upper directory changes, as JSON lines\n"
    "  rm DIR...                                    removes what containers left, in the user namespace when not root\n";

struct arguments {
  int count;
  char **values;
};

/** The value of `--name VALUE` or `--name=VALUE`, taken out of the arguments; NULL when it is not there. */
static const char *option(struct arguments *a, const char *name) {
  size_t length = strlen(name);
  for (int i = 0; i < a->count; i++) {
    char *word = a->values[i];
    if (strncmp(word, name, length) != 0 || (word[length] != 0 && word[length] != '=')) continue;
    int taken = word[length] == '=' ? 1 : 2;
    if (taken == 2 && i + 1 == a->count) return NULL;
    const char *value = taken == 1 ? word + length + 1 : a->values[i + 1];
    for (int k = i; k + taken < a->count; k++) a->values[k] = a->values[k + taken];
    a->count -= taken;
    return value;
  }
  return NULL;
}

static bool flag(struct arguments *a, const char *name) {
  for (int i = 0; i < a->count; i++) {
    if (strcmp(a->values[i], name) != 0) continue;
    for (int k = i; k + 1 < a->count; k++) a->values[k] = a->values[k + 1];
    a->count--;
    return true;
  }
  return false;
}

/** Every `--lower DIR`, in order. They stay valid as long as the arguments do. */
static int lowers(struct arguments *a, const char *to[MAX_LAYERS]) {
  int count = 0;
  for (const char *one; count < MAX_LAYERS && (one = option(a, "--lower")) != NULL;) to[count++] = one;
  return count;
}

static int wrong_usage(struct err *e, const char *what) {
  e->status = ERR_USAGE;
  return err_set(e, 0, "%s", what);
}

/** Letters, digits, '_', '+', '-', and '.' after the first: what runc and crun take. */
static bool good_id(const char *id) {
  if (*id == 0 || *id == '.' || strlen(id) > 100) return false;
  for (; *id != 0; id++)
    if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.", *id) == NULL) return false;
  return true;
}

static int verb_run(struct arguments *a, char **argv, struct err *e) {
  const char *bundle = option(a, "--bundle"), *pid_file = option(a, "--pid-file"), *fd = option(a, "--reply-fd");
  struct run_options o = {.bundle = bundle == NULL ? "." : bundle, .pid_file = pid_file, .reply = fd == NULL ? -1 : atoi(fd), .argv = argv};
  if (a->count != 1) return wrong_usage(e, "run takes one container id");
  o.id = a->values[0];
  if (!good_id(o.id)) return wrong_usage(e, "a container id is letters, digits, '_', '+', '-' and, not first, '.'");
  e->status = ERR_SETUP;
  if (reexec_sealed(argv, e) < 0 || reexec_clean(o.reply, e) < 0) return -1;
  return run_main(&o, e);
}

static int verb_unpack(struct arguments *a, struct err *e) {
  const char *dirs[MAX_LAYERS], *bytes = option(a, "--max-bytes"), *entries = option(a, "--max-entries");
  struct unpack_options o = {.bottom = flag(a, "--bottom"), .lower = dirs, .max_bytes = bytes == NULL ? INT64_MAX : atoll(bytes),
                             .max_entries = entries == NULL ? INT64_MAX : atoll(entries)};
  o.lower_count = lowers(a, dirs);
  if (a->count != 1) return wrong_usage(e, "unpack takes one directory");
  o.into = a->values[0];
  return unpack_main(&o, e);
}

static int verb_diff(struct arguments *a, struct err *e) {
  const char *dirs[MAX_LAYERS];
  struct diff_options o = {.lower = dirs, .user = flag(a, "--user-marks")};
  o.lower_count = lowers(a, dirs);
  if (a->count != 1) return wrong_usage(e, "diff takes one upper directory");
  o.upper = a->values[0];
  return diff_main(&o, e);
}

static int remove_all(void *argument, const struct idmaps *maps) {
  struct arguments *a = argument;
  struct err e = {0};
  (void)maps;
  for (int i = 0; i < a->count; i++)
    if (tree_remove(AT_FDCWD, a->values[i], &e) < 0) return out_error(2, &e), ERR_FAILED;
  return 0;
}

int main(int argc, char **argv) {
  struct err e = {0};
  int result;
  const char *verb = argc > 1 ? argv[1] : "";
  char **copy = calloc((size_t)argc + 1, sizeof *copy);
  if (copy == NULL) return ERR_FAILED;
  for (int i = 2; i < argc; i++) copy[i - 2] = argv[i];
  struct arguments a = {.count = argc > 2 ? argc - 2 : 0, .values = copy};
  if (strcmp(verb, "features") == 0) result = features_main(&e);
  else if (strcmp(verb, "run") == 0) result = verb_run(&a, argv, &e);
  else if (strcmp(verb, "unpack") == 0) result = verb_unpack(&a, &e);
  else if (strcmp(verb, "diff") == 0) result = verb_diff(&a, &e);
  else if (strcmp(verb, "rm") == 0) result = spawn_job(remove_all, &a, &e);
  else if (strcmp(verb, "--help") == 0) result = fputs(usage, stdout) < 0 ? -1 : 0;
  else result = wrong_usage(&e, "no such verb; --help lists them");
  free(copy);
  if (result >= 0) return result;
  out_error(2, &e);
  return e.status == 0 ? ERR_FAILED : e.status;
}
