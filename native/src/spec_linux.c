/** config.json `linux`: namespaces, id maps, masked and read-only paths. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"
#include "sys.h"
#include "sysctl.h"

/** Docker's lists: what a container must not read, and what it may read but not write. */
static const char *const masked[] = {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                                     "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware",
                                     "/sys/devices/virtual/powercap", NULL};
static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};

static int defaults(struct list *to, const char *const *items, struct err *e) {
  uint32_t count = 0;
  while (items[count] != NULL) count++;
  to->items = calloc(count + 1, sizeof *to->items);
  if (to->items == NULL) return err_set(e, ENOMEM, "config");
  memcpy(to->items, items, count * sizeof *items);
  to->count = count;
  return 0;
}

static int read_namespaces(struct spec *s, const struct pick *p) {
  static const struct { const char *type; int flag; } kinds[] = {
      {"pid", CLONE_NEWPID}, {"network", CLONE_NEWNET}, {"mount", CLONE_NEWNS},          {"ipc", CLONE_NEWIPC},
      {"uts", CLONE_NEWUTS}, {"user", CLONE_NEWUSER},   {"cgroup", CLONE_NEWCGROUP_},
  };
  const struct json *array;
  if (pick_array(p, "namespaces", &array) < 0) return -1;
  s->namespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP_ | (array == NULL ? CLONE_NEWNET : 0);
  for (const struct json *m = array == NULL ? NULL : json_first(p->d, array); m != NULL; m = json_next(p->d, m)) {
    struct pick one = {.d = p->d, .object = m, .name = "linux.namespaces[]", .e = p->e};
    const char *type = "", *path = NULL;
    if (pick_text(&one, "type", &type) < 0 || pick_text(&one, "path", &path) < 0) return -1;
    size_t at = 0;
    while (at < sizeof kinds / sizeof kinds[0] && strcmp(kinds[at].type, type) != 0) at++;
    if (at == sizeof kinds / sizeof kinds[0]) return err_set(p->e, 0, "config: no such namespace as %s", type);
    if (path != NULL && path[0] != 0) return err_set(p->e, 0, "config: joining the %s namespace of %s is not supported", type, path);
    s->namespaces |= kinds[at].flag;
  }
  return 0;
}

static int read_map(struct idmap *map, const struct pick *p, const char *key) {
  const struct json *array;
  if (pick_array(p, key, &array) < 0) return -1;
  for (const struct json *m = array == NULL ? NULL : json_first(p->d, array); m != NULL; m = json_next(p->d, m)) {
    struct pick one = {.d = p->d, .object = m, .name = key, .e = p->e};
    int64_t inside = -1, outside = -1, count = 0;
    if (pick_integer(&one, "containerID", 0, UINT32_MAX - 1, &inside) < 0 || pick_integer(&one, "hostID", 0, UINT32_MAX - 1, &outside) < 0 ||
        pick_integer(&one, "size", 1, UINT32_MAX, &count) < 0)
      return -1;
    if (inside < 0 || outside < 0 || inside + count > UINT32_MAX || outside + count > UINT32_MAX || map->count == IDMAP_MAX)
      return err_set(p->e, 0, "config: linux.%s has a range that can not be", key);
    map->ranges[map->count++] = (struct idrange){(uint32_t)inside, (uint32_t)outside, (uint32_t)count};
  }
  return 0;
}

/** Nodes that every container has. Another one would need a file system on which devices are live. */
static int check_devices(const struct pick *p) {
  static const char *const there[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console", "/dev/ptmx"};
  const struct json *array;
  if (pick_array(p, "devices", &array) < 0) return -1;
  for (const struct json *m = array == NULL ? NULL : json_first(p->d, array); m != NULL; m = json_next(p->d, m)) {
    struct pick one = {.d = p->d, .object = m, .name = "linux.devices[]", .e = p->e};
    const char *path = "";
    if (pick_text(&one, "path", &path) < 0) return -1;
    size_t at = 0;
    while (at < sizeof there / sizeof there[0] && strcmp(there[at], path) != 0) at++;
    if (at == sizeof there / sizeof there[0])
      return err_set(p->e, 0, "config: linux.devices: %.200s can not be had: devices are live only as null, zero, full, random, urandom and tty in /dev", path);
  }
  return 0;
}

static int read_sysctl(struct spec *s, const struct pick *p) {
  struct pick object;
  if (pick_object(p, "sysctl", "linux.sysctl", &object) < 0) return -1;
  s->sysctl = object.object;
  return sysctl_check(s, p->e);
}

int spec_read_linux(struct spec *s, const struct pick *root, struct err *e) {
  struct pick p;
  if (pick_object(root, "linux", "linux", &p) < 0 || read_namespaces(s, &p) < 0) return -1;
  if (pick_text(&p, "cgroupsPath", &s->cgroups_path) < 0 || spec_read_resources(&s->resources, &p) < 0) return -1;
  if (check_devices(&p) < 0 || read_sysctl(s, &p) < 0) return -1;
  if (read_map(&s->maps.uid, &p, "uidMappings") < 0 || read_map(&s->maps.gid, &p, "gidMappings") < 0) return -1;
  s->has_maps = s->maps.uid.count > 0 && s->maps.gid.count > 0;
  if (s->has_maps) s->namespaces |= CLONE_NEWUSER;
  if (defaults(&s->masked, masked, e) < 0 || defaults(&s->read_only, read_only, e) < 0) return -1;
  return pick_list(&p, "maskedPaths", &s->masked) < 0 || pick_list(&p, "readonlyPaths", &s->read_only) < 0 ? -1 : 0;
}
