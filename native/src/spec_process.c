/** config.json `process`: arguments, environment, user, capabilities, limits. */
#include <limits.h>
#include <string.h>

#include "caps.h"
#include "spec.h"

static const struct { const char *name; int resource; } resources[] = {
    {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},       {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},       {"RLIMIT_FSIZE", RLIMIT_FSIZE},     {"RLIMIT_LOCKS", 10},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", 12},            {"RLIMIT_NICE", 13},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},   {"RLIMIT_NPROC", RLIMIT_NPROC},     {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", 14},              {"RLIMIT_RTTIME", 15},              {"RLIMIT_SIGPENDING", 11},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

static int read_rlimits(struct spec *s, const struct pick *p) {
  const struct json *array;
  if (pick_array(p, "rlimits", &array) < 0) return -1;
  for (const struct json *m = array == NULL ? NULL : json_first(p->d, array); m != NULL; m = json_next(p->d, m)) {
    struct pick one = {.d = p->d, .object = m, .name = "process.rlimits[]", .e = p->e};
    const char *type = "";
    int64_t soft = 0, hard = 0;
    if (pick_text(&one, "type", &type) < 0 || pick_integer(&one, "soft", -1, INT64_MAX, &soft) < 0 ||
        pick_integer(&one, "hard", -1, INT64_MAX, &hard) < 0)
      return -1;
    size_t at = 0;
    while (at < sizeof resources / sizeof resources[0] && strcmp(resources[at].name, type) != 0) at++;
    if (at == sizeof resources / sizeof resources[0]) return err_set(p->e, 0, "config: no such limit as %s", type);
    for (int i = 0; i < s->rlimit_count; i++)
      if (s->rlimits[i].resource == resources[at].resource) return err_set(p->e, 0, "config: %s is given twice", type);
    s->rlimits[s->rlimit_count++] = (struct rlimit_spec){
        resources[at].resource, {soft < 0 ? RLIM_INFINITY : (rlim_t)soft, hard < 0 ? RLIM_INFINITY : (rlim_t)hard}};
  }
  return 0;
}

static int read_set(const struct pick *p, const char *key, uint64_t *set) {
  struct list names = {0};
  int result = pick_list(p, key, &names);
  *set = 0;
  for (uint32_t i = 0; result == 0 && i < names.count; i++) {
    int number = caps_number(names.items[i]);
    if (number >= 0) *set |= 1ULL << number;
    else result = err_set(p->e, 0, "config: no such capability as %s", names.items[i]);
  }
  list_free(&names);
  return result;
}

/** Inheritable is read nowhere: it stays empty whatever is asked for (CVE-2022-24769 and its kin). */
static int read_capabilities(struct spec *s, const struct pick *process) {
  struct pick p;
  if (pick_object(process, "capabilities", "process.capabilities", &p) < 0) return -1;
  if (p.object == NULL) return 0;
  if (read_set(&p, "bounding", &s->bounding) < 0 || read_set(&p, "permitted", &s->permitted) < 0 ||
      read_set(&p, "effective", &s->effective) < 0 || read_set(&p, "ambient", &s->ambient) < 0)
    return -1;
  s->effective &= s->permitted;
  s->ambient = 0;
  return 0;
}

static int read_user(struct spec *s, const struct pick *process) {
  struct pick p;
  const struct json *groups;
  int64_t uid = 0, gid = 0;
  if (pick_object(process, "user", "process.user", &p) < 0) return -1;
  if (pick_integer(&p, "uid", 0, UINT32_MAX - 1, &uid) < 0 || pick_integer(&p, "gid", 0, UINT32_MAX - 1, &gid) < 0 ||
      pick_integer(&p, "umask", 0, 0777, &s->umask) < 0 || pick_array(&p, "additionalGids", &groups) < 0)
    return -1;
  s->uid = (uint32_t)uid;
  s->gid = (uint32_t)gid;
  for (const struct json *m = groups == NULL ? NULL : json_first(p.d, groups); m != NULL; m = json_next(p.d, m)) {
    if (m->type != JSON_NUMBER || m->fraction || m->number < 0 || m->number >= UINT32_MAX || s->group_count == MAX_GROUPS)
      return err_set(p.e, 0, "config: process.user.additionalGids must be a list of at most %d ids", MAX_GROUPS);
    s->groups[s->group_count++] = (uint32_t)m->number;
  }
  return 0;
}

int spec_read_process(struct spec *s, const struct pick *root, struct err *e) {
  struct pick p, size;
  if (pick_object(root, "process", "process", &p) < 0) return -1;
  if (pick_list(&p, "args", &s->args) < 0 || pick_list(&p, "env", &s->env) < 0 || pick_text(&p, "cwd", &s->cwd) < 0) return -1;
  if (s->args.count == 0) return err_set(e, 0, "config: process.args is empty: there is no command to run");
  if (s->cwd[0] != '/') return err_set(e, 0, "config: process.cwd must be an absolute path");
  if (pick_bool(&p, "terminal", &s->terminal) < 0 || pick_bool(&p, "noNewPrivileges", &s->no_new_privileges) < 0 ||
      pick_integer(&p, "oomScoreAdj", -1000, 1000, &s->oom_score) < 0)
    return -1;
  if (pick_object(&p, "consoleSize", "process.consoleSize", &size) < 0 || pick_integer(&size, "height", 0, 65535, &s->rows) < 0 ||
      pick_integer(&size, "width", 0, 65535, &s->columns) < 0)
    return -1;
  return read_user(s, &p) < 0 || read_capabilities(s, &p) < 0 || read_rlimits(s, &p) < 0 ? -1 : 0;
}
