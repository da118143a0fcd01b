/** config.json as a whole: root, mounts, hostname, and our own `strata` object. */
#include "spec.h"

#include <stdlib.h>
#include <string.h>

#include "caps.h"

static int absolute(const struct pick *p, const char *what, const char *path) {
  if (path == NULL || path[0] != '/') return err_set(p->e, 0, "config: %s must be an absolute path", what);
  return 0;
}

/** `strata`: layers instead of a root directory, the size of the terminal, a user by name. */
static int read_strata(struct spec *s, const struct pick *root) {
  struct pick p, overlay;
  const char *seccomp = "default";
  if (pick_object(root, "strata", "strata", &p) < 0 || pick_object(&p, "overlay", "strata.overlay", &overlay) < 0) return -1;
  s->init = p.object != NULL; /* a config that is not made for us means its command to be pid 1, as the specification has it */
  if (pick_list(&overlay, "lower", &s->lower) < 0 || pick_text(&overlay, "upper", &s->upper) < 0 ||
      pick_text(&overlay, "work", &s->work) < 0 || pick_bool(&overlay, "volatile", &s->volatile_upper) < 0 ||
      pick_bool(&overlay, "classic", &s->classic_mount) < 0)
    return -1;
  if (pick_text(&p, "user", &s->user) < 0 || pick_bool(&p, "init", &s->init) < 0 || pick_text(&p, "seccomp", &seccomp) < 0 ||
      pick_list(&p, "instead", &s->instead) < 0 || net_spec_read(&s->network, &p) < 0)
    return -1;
  s->unconfined = strcmp(seccomp, "none") == 0;
  if (s->lower.count > MAX_LAYERS) return err_set(p.e, 0, "config: %u layers, the kernel takes %d", s->lower.count, MAX_LAYERS);
  for (uint32_t i = 0; i < s->lower.count; i++)
    if (absolute(&p, "strata.overlay.lower", s->lower.items[i]) < 0) return -1;
  if ((s->upper == NULL) != (s->work == NULL)) return err_set(p.e, 0, "config: strata.overlay needs upper and work, or neither");
  if (s->upper != NULL && (absolute(&p, "strata.overlay.upper", s->upper) < 0 || absolute(&p, "strata.overlay.work", s->work) < 0)) return -1;
  return 0;
}

/** What the monitor does for the container: `strata.restart`, `strata.health`. */
static int read_care(struct spec *s, const struct pick *root) {
  struct pick p, again, health;
  const char *policy = "no";
  if (pick_object(root, "strata", "strata", &p) < 0 || pick_object(&p, "restart", "strata.restart", &again) < 0 ||
      pick_object(&p, "health", "strata.health", &health) < 0)
    return -1;
  if (pick_text(&again, "policy", &policy) < 0 || pick_integer(&again, "most", 0, INT32_MAX, &s->again.most) < 0) return -1;
  int known = again_policy_of(policy);
  if (known < 0) return err_set(p.e, 0, "config: no such strata.restart.policy as %.60s", policy);
  s->again.policy = (enum again_policy)known;
  s->health = (struct health_spec){.interval = 30000, .timeout = 30000, .retries = 3};
  const int64_t most = 366LL * 86400 * 1000;
  return pick_list(&health, "test", &s->health.test) < 0 || pick_integer(&health, "interval", 1, most, &s->health.interval) < 0 ||
                 pick_integer(&health, "timeout", 1, most, &s->health.timeout) < 0 ||
                 pick_integer(&health, "startPeriod", 0, most, &s->health.start_period) < 0 ||
                 pick_integer(&health, "retries", 1, INT32_MAX, &s->health.retries) < 0
             ? -1
             : 0;
}

static int read_root(struct spec *s, const struct pick *top) {
  struct pick p;
  if (pick_object(top, "root", "root", &p) < 0 || pick_text(&p, "path", &s->root) < 0 || pick_bool(&p, "readonly", &s->readonly) < 0)
    return -1;
  if (s->lower.count == 0 && s->root == NULL) return err_set(p.e, 0, "config: neither root.path nor strata.overlay.lower is given");
  if (s->lower.count > 0) s->root = NULL;
  return 0;
}

static int read_mounts(struct spec *s, const struct pick *top) {
  const struct json *array;
  if (pick_array(top, "mounts", &array) < 0) return -1;
  if (array == NULL) return 0;
  for (const struct json *m = json_first(top->d, array); m != NULL; m = json_next(top->d, m)) {
    if (s->mount_count == MAX_MOUNTS) return err_set(top->e, 0, "config: more than %d mounts", MAX_MOUNTS);
    struct mount_spec *mount = &s->mounts[s->mount_count++];
    struct pick p = {.d = top->d, .object = m, .name = "mounts[]", .e = top->e};
    if (m->type != JSON_OBJECT) return err_set(top->e, 0, "config: mounts must be a list of objects");
    if (pick_text(&p, "destination", &mount->destination) < 0 || pick_text(&p, "type", &mount->type) < 0 ||
        pick_text(&p, "source", &mount->source) < 0 || pick_list(&p, "options", &mount->options) < 0)
      return -1;
    if (absolute(&p, "mounts[].destination", mount->destination) < 0) return -1;
  }
  return 0;
}

int spec_read(struct spec *s, const char *text, size_t length, struct err *e) {
  *s = (struct spec){.cwd = "/", .no_new_privileges = true, .init = true, .oom_score = INT64_MIN, .umask = -1,
                     .bounding = CAPS_DEFAULT, .permitted = CAPS_DEFAULT, .effective = CAPS_DEFAULT};
  if (json_read(&s->document, text, length, e) < 0) return err_in(e, "config.json");
  struct pick top = {.d = &s->document, .object = json_root(&s->document), .name = "", .e = e};
  if (top.object->type != JSON_OBJECT) return err_set(e, 0, "config.json is not an object");
  if (read_strata(s, &top) < 0 || read_care(s, &top) < 0 || read_root(s, &top) < 0 || read_mounts(s, &top) < 0) return -1;
  if (pick_text(&top, "hostname", &s->hostname) < 0 || pick_text(&top, "domainname", &s->domainname) < 0) return -1;
  return spec_read_process(s, &top, e) < 0 || spec_read_linux(s, &top, e) < 0 ? -1 : 0;
}

void spec_free(struct spec *s) {
  for (int i = 0; i < s->mount_count; i++) list_free(&s->mounts[i].options);
  struct list *lists[] = {&s->lower, &s->args, &s->instead, &s->env, &s->health.test, &s->masked, &s->read_only};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) list_free(lists[i]);
  net_spec_free(s->network);
  json_free(&s->document);
}
