/** Maps of idmap.h: /etc/subuid read without the C library's name service, which a static program does not have. */
#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own.h"

enum { LINE = 512, NAME = 64 };

/** The name of `uid` in /etc/passwd, empty when it has none there (a directory service). */
static void name_of(uid_t uid, char name[NAME]) {
  name[0] = 0;
  FILE *file = fopen("/etc/passwd", "re");
  if (file == NULL) return;
  char line[LINE];
  while (name[0] == 0 && fgets(line, sizeof line, file) != NULL) {
    char *password = strchr(line, ':'), *id = password == NULL ? NULL : strchr(password + 1, ':');
    if (id == NULL || password - line >= NAME) continue;
    char *end;
    unsigned long found = strtoul(id + 1, &end, 10);
    if (end == id + 1 || *end != ':' || found != uid) continue;
    memcpy(name, line, (size_t)(password - line));
    name[password - line] = 0;
  }
  fclose(file);
}

static bool overlaps(const struct idmap *map, uint64_t outside, uint64_t count) {
  for (int i = 0; i < map->count; i++)
    if (outside < (uint64_t)map->ranges[i].outside + map->ranges[i].count && map->ranges[i].outside < outside + count) return true;
  return false;
}

/** Adds every range that `path` gives to the user, by name or by number; a line that makes no sense is passed over. */
static void add_sub_ids(struct idmap *map, const char *path, const char *name, uid_t uid) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  char line[LINE], number[16];
  snprintf(number, sizeof number, "%u", (unsigned)uid);
  uint64_t inside = 1;
  while (map->count < IDMAP_MAX && fgets(line, sizeof line, file) != NULL) {
    char *first = strchr(line, ':'), *second = first == NULL ? NULL : strchr(first + 1, ':');
    if (second == NULL) continue;
    *first = 0;
    if (!((name[0] != 0 && strcmp(line, name) == 0) || strcmp(line, number) == 0)) continue;
    unsigned long long outside = strtoull(first + 1, NULL, 10), count = strtoull(second + 1, NULL, 10);
    if (outside == 0 || count == 0 || outside + count > UINT32_MAX || inside + count > UINT32_MAX) continue;
    if (overlaps(map, outside, count)) continue;
    map->ranges[map->count++] = (struct idrange){(uint32_t)inside, (uint32_t)outside, (uint32_t)count};
    inside += count;
  }
  fclose(file);
}

const char *idmap_tool(bool gid) {
  static const char *const paths[2][3] = {{"/usr/bin/newuidmap", "/bin/newuidmap", "/usr/local/bin/newuidmap"},
                                          {"/usr/bin/newgidmap", "/bin/newgidmap", "/usr/local/bin/newgidmap"}};
  for (int i = 0; i < 3; i++)
    if (access(paths[gid][i], X_OK) == 0) return paths[gid][i];
  return NULL;
}

int idmaps_of_caller(struct idmaps *maps, struct err *e) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  (void)e;
  *maps = (struct idmaps){.uid = {{{0, uid, 1}}, 1}, .gid = {{{0, gid, 1}}, 1}};
  char name[NAME];
  name_of(uid, name);
  if (idmap_tool(false) != NULL && idmap_tool(true) != NULL) {
    add_sub_ids(&maps->uid, "/etc/subuid", name, uid);
    add_sub_ids(&maps->gid, "/etc/subgid", name, uid);
  }
  if (maps->uid.count == 1 || maps->gid.count == 1) {
    maps->uid.count = maps->gid.count = 1;
    maps->single = true;
  }
  return 0;
}

bool idmap_outside(const struct idmap *map, uint32_t inside, uint32_t *outside) {
  for (int i = 0; i < map->count; i++) {
    const struct idrange *r = &map->ranges[i];
    if (inside < r->inside || inside - r->inside >= r->count) continue;
    *outside = r->outside + (inside - r->inside);
    return true;
  }
  return false;
}

bool idmap_has(const struct idmap *map, uint32_t inside) {
  uint32_t ignored;
  return idmap_outside(map, inside, &ignored);
}

static int write_proc(pid_t pid, const char *name, const char *text, struct err *e) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  OWN_FD fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) return err_set(e, errno, "write %s", path);
  return 0;
}

static int write_map(pid_t pid, const char *name, const struct idmap *map, struct err *e) {
  char text[IDMAP_MAX * 40] = "";
  size_t used = 0;
  for (int i = 0; i < map->count; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%u %u %u\n", map->ranges[i].inside, map->ranges[i].outside,
                             map->ranges[i].count);
  return write_proc(pid, name, text, e);
}

/** Starts newuidmap or newgidmap with a clean environment; what it says comes out of `*errors`. */
static pid_t start_tool(bool gid, pid_t target, const struct idmap *map, int *errors, struct err *e) {
  char numbers[1 + 3 * IDMAP_MAX][12];
  char *argv[3 + 3 * IDMAP_MAX] = {(char *)(gid ? "newgidmap" : "newuidmap"), numbers[0]};
  snprintf(numbers[0], sizeof numbers[0], "%d", (int)target);
  for (int i = 0; i < map->count; i++) {
    const uint32_t three[3] = {map->ranges[i].inside, map->ranges[i].outside, map->ranges[i].count};
    for (int k = 0; k < 3; k++) {
      snprintf(numbers[1 + 3 * i + k], sizeof numbers[0], "%u", three[k]);
      argv[2 + 3 * i + k] = numbers[1 + 3 * i + k];
    }
  }
  const char *path = idmap_tool(gid);
  if (path == NULL) return err_set(e, 0, "newuidmap and newgidmap are not installed (package uidmap or shadow-utils)");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
  pid_t child = fork();
  if (child == 0) {
    char *environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    dup2(ends[1], 2);
    execve(path, argv, environment);
    _exit(127);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return err_set(e, errno, "fork");
  }
  *errors = ends[0];
  return child;
}

static int await_tool(bool gid, pid_t child, int errors, struct err *e) {
  char said[300];
  ssize_t length = read(errors, said, sizeof said - 1);
  said[length > 0 ? length : 0] = 0;
  said[strcspn(said, "\n")] = 0;
  close(errors);
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  return err_set(e, 0, "%s failed: %s", gid ? "newgidmap" : "newuidmap", said);
}

int idmaps_write(const struct idmaps *maps, pid_t pid, struct err *e) {
  if (maps->single && write_proc(pid, "setgroups", "deny", e) < 0) return -1;
  if (geteuid() == 0 || maps->single)
    return write_map(pid, "gid_map", &maps->gid, e) < 0 || write_map(pid, "uid_map", &maps->uid, e) < 0 ? -1 : 0;
  int errors[2];
  pid_t uid = start_tool(false, pid, &maps->uid, &errors[0], e);
  if (uid < 0) return -1;
  pid_t gid = start_tool(true, pid, &maps->gid, &errors[1], e);
  int result = await_tool(false, uid, errors[0], e);
  if (gid < 0) return -1;
  return await_tool(true, gid, errors[1], e) < 0 ? -1 : result;
}
