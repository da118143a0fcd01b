/** Words of `pause`, `resume` and `update`; the limits have docker's and runc's names. */
#include <limits.h>
#include <stdlib.h>

#include "home.h"
#include "pause.h"
#include "verbs.h"

static int one(struct arguments *a, const struct verb_context *c, bool paused, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count != 1) return args_wrong(e, "one container id is wanted");
  return home_root(c->root, root, e) < 0 ? -1 : pause_main(root, a->values[0], paused, e);
}

int verb_pause(struct arguments *a, const struct verb_context *c, struct err *e) { return one(a, c, true, e); }

int verb_resume(struct arguments *a, const struct verb_context *c, struct err *e) { return one(a, c, false, e); }

static int number(const char *text, const char *name, long long least, int64_t *to, struct err *e) {
  long long value = *to;
  if (args_number(text, name, least, LLONG_MAX, &value, e) < 0) return -1;
  *to = value;
  return 0;
}

/** "1.5" processors are a quota of 150 000 in every 100 000 microseconds. */
static int processors(const char *text, struct resources *r, struct err *e) {
  char *end;
  if (text == NULL) return 0;
  double count = strtod(text, &end);
  if (end == text || *end != 0 || !(count >= 0) || count > 1e6) return args_wrong(e, "--cpus takes a number of processors");
  r->period = 100000;
  r->quota = count == 0 ? -1 : (int64_t)(count * 100000);
  return 0;
}

int verb_update(struct arguments *a, const struct verb_context *c, struct err *e) {
  const char *memory = NULL, *swap = NULL, *reservation = NULL, *cpus = NULL, *shares = NULL, *quota = NULL, *period = NULL, *pids = NULL;
  const struct option table[] = {{"--memory", 'm', OPTION_TEXT, &memory}, {"--memory-swap", 0, OPTION_TEXT, &swap},
                                 {"--memory-reservation", 0, OPTION_TEXT, &reservation}, {"--cpus", 0, OPTION_TEXT, &cpus},
                                 {"--cpu-shares", 0, OPTION_TEXT, &shares}, {"--cpu-share", 0, OPTION_TEXT, &shares}, {"--cpu-quota", 0, OPTION_TEXT, &quota},
                                 {"--cpu-period", 0, OPTION_TEXT, &period}, {"--pids-limit", 0, OPTION_TEXT, &pids}, {NULL, 0, OPTION_FLAG, NULL}};
  struct resources r = RESOURCES_NONE;
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count != 1) return args_wrong(e, "update takes one container id");
  if (number(memory, "--memory", -1, &r.memory, e) < 0 || number(swap, "--memory-swap", -1, &r.swap, e) < 0 ||
      number(reservation, "--memory-reservation", -1, &r.reservation, e) < 0 || number(shares, "--cpu-shares", 2, &r.shares, e) < 0 ||
      number(quota, "--cpu-quota", -1, &r.quota, e) < 0 || number(period, "--cpu-period", 1000, &r.period, e) < 0 ||
      number(pids, "--pids-limit", -1, &r.pids, e) < 0 || processors(cpus, &r, e) < 0)
    return -1;
  return home_root(c->root, root, e) < 0 ? -1 : update_main(root, a->values[0], &r, e);
}
