/** The options of `exec`. What follows the id is the command's, dashes and all. */
#include <limits.h>

#include "exec.h"
#include "home.h"
#include "reexec.h"
#include "verbs.h"

static int run(struct exec_options *o, struct arguments *a, const struct verb_context *c, struct err *e) {
  char root[PATH_MAX];
  if (a->count < 1 || (a->count < 2 && o->process == NULL)) return args_wrong(e, "exec takes a container id and a command");
  o->id = a->values[0];
  o->command = a->values + 1;
  o->command_count = a->count - 1;
  if (home_root(c->root, root, e) < 0) return -1;
  o->root = root;
  e->status = ERR_SETUP;
  if (reexec_sealed(c->argv, e) < 0 || reexec_clean(c->errors, e) < 0) return -1;
  return exec_main(o, e);
}

int verb_exec(struct arguments *a, const struct verb_context *c, struct err *e) {
  struct exec_options o = {.argv = c->argv};
  const struct option table[] = {
      {"--tty", 't', OPTION_FLAG, &o.tty}, {"--detach", 'd', OPTION_FLAG, &o.detach}, {"--no-stdin", 0, OPTION_FLAG, &o.no_stdin},
      {"--probe", 0, OPTION_FLAG, &o.probe}, {"--privileged", 0, OPTION_FLAG, &o.privileged},
      {"--cwd", 0, OPTION_TEXT, &o.cwd}, {"--user", 'u', OPTION_TEXT, &o.user}, {"--env", 'e', OPTION_WORDS, &o.env},
      {"--process", 'p', OPTION_TEXT, &o.process}, {"--pid-file", 0, OPTION_TEXT, &o.pid_file}, {"--console-socket", 0, OPTION_TEXT, &o.console_socket},
      {"--preserve-fds", 0, OPTION_IGNORED_TEXT, NULL}, {"--no-new-privs", 0, OPTION_IGNORED_FLAG, NULL}, {NULL, 0, OPTION_FLAG, NULL}};
  int result = args_read(a, table, true, e) < 0 ? -1 : run(&o, a, c, e);
  words_free(&o.env);
  return result;
}
