/** argv -> a verb. The only place that ends the process, and the only one that prints errors. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "features.h"
#include "out.h"
#include "read.h"
#include "pack.h"
#include "spawn.h"
#include "tree.h"
#include "unpack.h"
#include "verbs.h"
#include "watch.h"

static const char usage[] =
    "strata-native [--root STATE] VERB: the part of Strata that speaks with the kernel\n"
    "  features                                     what works on this machine, as JSON\n"
    "  create [--bundle DIR] [--log FILE] ID        a container that waits, and its monitor\n"
    "  start ID                                     lets it go on\n"
    "  run [--detach | --foreground] [--bundle DIR] [--log FILE] ID\n"
    "  exec [--tty] [--detach] [--cwd D] [--user U] [--env K=V]... ID COMMAND...\n"
    "  attach [--no-stdin] [--replay] ID            this process's standard streams for the container's\n"
    "  state ID, list                               what is known of one, of all, as JSON\n"
    "  kill [--all] ID [SIGNAL]                     TERM where none is named\n"
    "  pause ID, resume ID                          stops every process of it, lets them go on\n"
    "  update [--memory BYTES] [--cpus N] [--pids-limit N]... ID   changes its limits\n"
    "  wait ID, resize ID COLUMNS ROWS, delete [--force] ID\n"
    "  unpack [--bottom] [--lower DIR]... [--max-bytes N] [--max-entries N] DIR   a layer's tar from stdin into DIR\n"
    "  diff [--user-marks] [--lower DIR]... UPPER   what an upper directory changes, as JSON lines\n"
    "  watch [--user-marks] [--lower DIR]... UPPER  the same, and then what changes in it, until stdin ends\n"
    "  pack UPPER                                   a layer's tar of the paths that stdin names\n"
    "  read [--offset N] [--length N] DIR           a piece of the file below DIR whose path is on stdin\n"
    "  rm DIR...                                    removes what containers left, in the user namespace when not root\n";

static int verb_unpack(struct arguments *a, const struct verb_context *c, struct err *e) {
  struct words lower = {0};
  const char *bytes = NULL, *entries = NULL;
  struct unpack_options o = {0};
  const struct option table[] = {{"--bottom", 0, OPTION_FLAG, &o.bottom}, {"--lower", 0, OPTION_WORDS, &lower}, {"--max-bytes", 0, OPTION_TEXT, &bytes},
                                 {"--max-entries", 0, OPTION_TEXT, &entries}, {NULL, 0, OPTION_FLAG, NULL}};
  long long most_bytes = INT64_MAX, most_entries = INT64_MAX;
  (void)c;
  if (args_read(a, table, false, e) < 0 || args_number(bytes, "--max-bytes", 0, INT64_MAX, &most_bytes, e) < 0 ||
      args_number(entries, "--max-entries", 0, INT64_MAX, &most_entries, e) < 0)
    return -1;
  if (a->count != 1 || lower.count > MAX_LAYERS) return args_wrong(e, "unpack takes one directory");
  o.into = a->values[0];
  o.lower = lower.items;
  o.lower_count = lower.count;
  o.max_bytes = most_bytes;
  o.max_entries = most_entries;
  int result = unpack_main(&o, e);
  words_free(&lower);
  return result;
}

static int verb_read(struct arguments *a, const struct verb_context *c, struct err *e) {
  const char *offset = NULL, *length = NULL;
  long long from = 0, most = INT64_MAX;
  const struct option table[] = {{"--offset", 0, OPTION_TEXT, &offset}, {"--length", 0, OPTION_TEXT, &length}, {NULL, 0, OPTION_FLAG, NULL}};
  (void)c;
  if (args_read(a, table, false, e) < 0 || args_number(offset, "--offset", 0, INT64_MAX, &from, e) < 0 ||
      args_number(length, "--length", 0, INT64_MAX, &most, e) < 0)
    return -1;
  if (a->count != 1) return args_wrong(e, "read takes one directory");
  const struct read_options o = {.root = a->values[0], .offset = from, .length = most};
  return read_main(&o, e);
}

static int of_upper(struct arguments *a, int (*work)(const struct diff_options *, struct err *), struct err *e) {
  struct words lower = {0};
  struct diff_options o = {0};
  const struct option table[] = {{"--user-marks", 0, OPTION_FLAG, &o.user}, {"--lower", 0, OPTION_WORDS, &lower}, {NULL, 0, OPTION_FLAG, NULL}};
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count != 1 || lower.count > MAX_LAYERS) return args_wrong(e, "diff and watch take one upper directory");
  o.lower = lower.items;
  o.lower_count = lower.count;
  o.upper = a->values[0];
  int result = work(&o, e);
  words_free(&lower);
  return result;
}

static int verb_diff(struct arguments *a, const struct verb_context *c, struct err *e) {
  (void)c;
  return of_upper(a, diff_main, e);
}

static int verb_watch(struct arguments *a, const struct verb_context *c, struct err *e) {
  (void)c;
  return of_upper(a, watch_main, e);
}

static int remove_all(void *argument, const struct idmaps *maps) {
  struct arguments *a = argument;
  struct err e = {0};
  (void)maps;
  for (int i = 0; i < a->count; i++)
    if (tree_remove(AT_FDCWD, a->values[i], &e) < 0) return out_error(2, &e), ERR_FAILED;
  return 0;
}

static int verb_pack(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  (void)c;
  if (args_read(a, table, false, e) < 0) return -1;
  return a->count == 1 ? pack_main(a->values[0], e) : args_wrong(e, "pack takes one upper directory");
}

static int verb_rm(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  (void)c;
  return args_read(a, table, false, e) < 0 ? -1 : spawn_job(remove_all, a, e);
}

static int verb_features(struct arguments *a, const struct verb_context *c, struct err *e) {
  (void)a, (void)c;
  return features_main(e);
}

static int verb_help(struct arguments *a, const struct verb_context *c, struct err *e) {
  (void)a, (void)c, (void)e;
  return fputs(usage, stdout) < 0 ? -1 : 0;
}

static const struct { const char *name; verb_function *run; } verbs[] = {
    {"features", verb_features}, {"help", verb_help},     {"unpack", verb_unpack}, {"diff", verb_diff},     {"watch", verb_watch},
    {"read", verb_read},         {"pack", verb_pack},     {"rm", verb_rm},         {"create", verb_create}, {"start", verb_start},
    {"run", verb_run},           {"exec", verb_exec},     {"attach", verb_attach}, {"state", verb_state},   {"list", verb_list},
    {"kill", verb_kill},         {"pause", verb_pause},   {"resume", verb_resume}, {"update", verb_update}, {"wait", verb_wait},
    {"resize", verb_resize},     {"delete", verb_delete},
};

/** What stands before the verb: ours, and what others give to crun and runc there. `--log` is for their errors, not for a container. */
static int read_global(struct arguments *a, struct verb_context *c, const char **log, struct err *e) {
  bool help = false;
  const char *errors = NULL;
  long long descriptor = -1;
  const struct option table[] = {
      {"--root", 0, OPTION_TEXT, &c->root}, {"--log", 0, OPTION_TEXT, log}, {"--error-fd", 0, OPTION_TEXT, &errors},
      {"--speak-as", 0, OPTION_TEXT, &c->speaks_as}, {"--log-format", 0, OPTION_IGNORED_TEXT, NULL}, {"--log-level", 0, OPTION_IGNORED_TEXT, NULL},
      {"--debug", 0, OPTION_IGNORED_FLAG, NULL}, {"--cgroup-manager", 0, OPTION_IGNORED_TEXT, NULL}, {"--systemd-cgroup", 0, OPTION_IGNORED_FLAG, NULL},
      {"--rootless", 0, OPTION_IGNORED_TEXT, NULL}, {"--help", 'h', OPTION_FLAG, &help}, {NULL, 0, OPTION_FLAG, NULL}};
  if (args_read(a, table, true, e) < 0 || args_number(errors, "--error-fd", 3, 1023, &descriptor, e) < 0) return -1;
  c->errors = (int)descriptor;
  static char word[] = "help", *only[] = {word, NULL};
  if (help) *a = (struct arguments){1, only};
  return 0;
}

/** containerd and podman read the reason there. */
static void log_error(const char *path, const struct err *e) {
  struct out o = {0};
  int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  out_open(&o, '{');
  out_text(&o, "level", "error");
  out_text(&o, "msg", e->text);
  out_close(&o, '}');
  out_flush(&o, fd);
  out_free(&o);
}

/** Names in it are the image's: nothing of them drives the terminal. */
static void say(const char *as, struct err *e) {
  for (char *at = e->text; *at != 0; at++)
    if ((unsigned char)*at < 0x20 || *at == 0x7f || ((unsigned char)*at & 0xe0) == 0x80) *at = '?';
  if (e->text[0] >= 'a' && e->text[0] <= 'z') e->text[0] -= 'a' - 'A';
  dprintf(2, "%s: %s.\n", as, e->text);
}

static int run_verb(struct arguments *a, const struct verb_context *c, struct err *e) {
  if (a->count == 0) return args_wrong(e, "no verb is given; --help lists them");
  struct arguments rest = {a->count - 1, a->values + 1};
  for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
    if (strcmp(verbs[i].name, a->values[0]) == 0) return verbs[i].run(&rest, c, e);
  return args_wrong(e, "no such verb; --help lists them");
}

int main(int argc, char **argv) {
  struct err e = {0};
  struct verb_context c = {.argv = argv, .errors = -1};
  const char *log = NULL;
  char **copy = calloc((size_t)argc + 1, sizeof *copy);
  if (copy == NULL) return ERR_FAILED;
  /* Copies, because the words themselves are wiped in a process that a container can see. */
  for (int i = 1; i < argc; i++)
    if ((copy[i - 1] = strdup(argv[i])) == NULL) return ERR_FAILED;
  char **owned = calloc((size_t)argc + 1, sizeof *owned);
  if (owned == NULL) return ERR_FAILED;
  memcpy(owned, copy, (size_t)argc * sizeof *copy);
  struct arguments a = {.count = argc > 0 ? argc - 1 : 0, .values = copy};
  int result = read_global(&a, &c, &log, &e) < 0 ? -1 : run_verb(&a, &c, &e);
  if (result < 0) {
    log_error(log, &e);
    if (c.speaks_as != NULL) say(c.speaks_as, &e);
    else out_error(c.errors < 0 ? 2 : c.errors, &e);
    result = e.status == 0 ? ERR_FAILED : e.status;
  }
  for (int i = 0; i < argc; i++) free(owned[i]);
  free(owned);
  free(copy);
  return result;
}
