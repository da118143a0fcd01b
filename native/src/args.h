/** Command line words -> options by a table. What the table does not name is refused; nothing is guessed. */
#ifndef STRATA_ARGS_H
#define STRATA_ARGS_H
#include <stdbool.h>

#include "err.h"

/** What is left of the command line; `values` are the process's own words and ended by NULL. */
struct arguments {
  int count;
  char **values;
};

/** The values of an option that may come more than once, in order. */
struct words {
  const char **items;
  int count;
};

enum option_kind { OPTION_TEXT, OPTION_FLAG, OPTION_WORDS, OPTION_IGNORED_TEXT, OPTION_IGNORED_FLAG };

struct option {
  const char *name; /* "--bundle", NULL ends the table */
  char letter;      /* of "-b", 0 for none */
  enum option_kind kind;
  void *to;         /* const char **, bool *, struct words * */
};

/**
 * Takes the options out of the arguments: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `--flag`; `--` ends them.
 * `leading`: the first word that is none ends them too, because what follows belongs to somebody else (a command).
 */
int args_read(struct arguments *a, const struct option *table, bool leading, struct err *e);
void words_free(struct words *w);

/** Fills `e` as an error in the use of the command line. Gives -1. */
int args_wrong(struct err *e, const char *what);

/** A whole number from `least` to `most`; `text` NULL leaves `*to` as it is. */
int args_number(const char *text, const char *name, long long least, long long most, long long *to, struct err *e);

#endif
