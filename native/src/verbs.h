/** The verbs of containers: their words on the command line, and what is called for them. */
#ifndef STRATA_VERBS_H
#define STRATA_VERBS_H
#include "args.h"

/** What stands before the verb. */
struct verb_context {
  const char *root; /* --root, NULL: the usual place */
  char **argv;      /* of the process */
  const char *speaks_as; /* --speak-as: errors are for a person, sentences after this name; NULL: JSON */
  int errors;       /* --error-fd: where errors go in place of standard error, which is a command's; -1: there */
};

/** An exit status, or -1 with an error. `a` are the words after the verb. */
typedef int verb_function(struct arguments *a, const struct verb_context *c, struct err *e);

verb_function verb_create, verb_start, verb_run, verb_exec, verb_attach, verb_state, verb_list;
verb_function verb_kill, verb_pause, verb_resume, verb_update, verb_wait, verb_resize, verb_delete;

#endif
