/** config.json `linux.resources`. A limit that is asked for and would not be kept is refused, never passed over. */
#include "spec.h"

static int refuse(const struct pick *p, const char *name, const char *why) {
  return err_set(p->e, 0, "config: linux.resources.%s is not supported%s", name, why);
}

static int refuse_members(const struct pick *p, const char *const *names, int count) {
  for (int i = 0; i < count; i++) {
    const struct json *m = json_member(p->d, p->object, names[i]);
    if (p->object == NULL || m == NULL || m->type == JSON_NULL || m->type == JSON_FALSE) continue;
    if ((m->type == JSON_ARRAY || m->type == JSON_OBJECT) && json_first(p->d, m) == NULL) continue;
    if (m->type == JSON_STRING && *json_text(p->d, m) == 0) continue;
    if (m->type == JSON_NUMBER && !m->fraction && m->number == 0) continue;
    return refuse(p, names[i], "");
  }
  return 0;
}

static int read_memory(struct resources *r, const struct pick *p) {
  static const char *const not_kept[] = {"disableOOMKiller"};
  struct pick m;
  if (pick_object(p, "memory", "linux.resources.memory", &m) < 0) return -1;
  if (pick_integer(&m, "limit", -1, INT64_MAX, &r->memory) < 0 || pick_integer(&m, "swap", -1, INT64_MAX, &r->swap) < 0 ||
      pick_integer(&m, "reservation", -1, INT64_MAX, &r->reservation) < 0)
    return -1;
  return refuse_members(&m, not_kept, 1);
}

static int read_cpu(struct resources *r, const struct pick *p) {
  static const char *const not_kept[] = {"cpus", "mems", "realtimeRuntime", "realtimePeriod", "burst", "idle"};
  struct pick c;
  if (pick_object(p, "cpu", "linux.resources.cpu", &c) < 0) return -1;
  if (pick_integer(&c, "shares", 0, INT64_MAX, &r->shares) < 0 || pick_integer(&c, "quota", INT64_MIN + 1, INT64_MAX, &r->quota) < 0 ||
      pick_integer(&c, "period", 0, 1000000, &r->period) < 0)
    return -1;
  if (r->period == 0) r->period = RESOURCE_UNSET;
  return refuse_members(&c, not_kept, 6);
}

/** `devices` is read by nobody: whatever it allows, devices are live on the six nodes of /dev only. */
int spec_read_resources(struct resources *r, const struct pick *p) {
  static const char *const not_kept[] = {"blockIO", "hugepageLimits", "network", "rdma", "unified"};
  struct pick all, pids;
  *r = RESOURCES_NONE;
  if (pick_object(p, "resources", "linux.resources", &all) < 0 || pick_object(&all, "pids", "linux.resources.pids", &pids) < 0) return -1;
  if (pick_integer(&pids, "limit", -1, INT64_MAX, &r->pids) < 0) return -1;
  if (r->pids == 0) r->pids = -1;
  return read_memory(r, &all) < 0 || read_cpu(r, &all) < 0 ? -1 : refuse_members(&all, not_kept, 5);
}
