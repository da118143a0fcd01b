#include "verbs.h"
int verb_exec(struct arguments *a, const struct verb_context *c, struct err *e) {
  (void)a, (void)c;
  return args_wrong(e, "exec is not there yet");
}
