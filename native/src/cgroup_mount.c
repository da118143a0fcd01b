/**
 * A tree is shown only where the container has a cgroup of its own in it: the cgroup namespace begins there, and of the
 * host's other cgroups, with their release_agent, nothing is to be seen (CVE-2022-0492).
 */
#include "cgroup_mount.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "mounts.h"
#include "own.h"
#include "rootfs.h"
#include "sys.h"

enum { SET = 128 };

/** The controllers of the hierarchy that a controller is in, "cpu,cpuacct", as a mount must name them all. */
static bool set_of(const char *controller, char set[SET]) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  char line[CGROUP_PATH];
  bool found = false;
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
    char *begin = strchr(line, ':'), *end = begin == NULL ? NULL : strchr(begin + 1, ':');
    if (end == NULL || end - begin > SET) continue;
    *end = 0;
    snprintf(set, SET, "%s", begin + 1);
    size_t length = strlen(controller);
    for (const char *at = set; !found && (at = strstr(at, controller)) != NULL; at++)
      found = (at == set || at[-1] == ',') && (at[length] == 0 || at[length] == ',');
  }
  if (file != NULL) fclose(file);
  return found;
}

static bool shown(const struct spec *s, int tree, char set[SET]) {
  return tree != CGROUP_V2 && (s->cgroup_trees & 1u << tree) != 0 && set_of(cgroup_tree_name((enum cgroup_tree)tree), set);
}

int cgroup_mount_new(const struct spec *s, unsigned attributes, struct err *e) {
  static const char *const options[] = {"mode=0755", "size=16k", "nr_inodes=24"};
  struct mount_attr_ attr = {.set = ATTR_RDONLY};
  char set[SET];
  if (cgroup_layout() == CGROUP_UNIFIED) return mounts_new("cgroup2", NULL, 0, attributes | ATTR_RDONLY, e);
  OWN_FD places = mounts_new("tmpfs", options, 3, attributes & ~ATTR_RDONLY, e);
  if (places < 0) return -1;
  for (int tree = 0; tree < CGROUP_TREES; tree++) {
    if (!shown(s, tree, set)) continue;
    const char *name = cgroup_tree_name((enum cgroup_tree)tree);
    if (mkdirat(places, set, 0755) < 0 && errno != EEXIST) return err_set(e, errno, "make a place for the %s cgroup", name);
    if (strcmp(set, name) != 0 && symlinkat(set, places, name) < 0 && errno != EEXIST) return err_set(e, errno, "make a place for the %s cgroup", name);
  }
  return sys_mount_setattr(places, 0, &attr) < 0 ? err_set(e, errno, "make the place of the cgroups read-only") : own_give(&places);
}

int cgroup_mount_trees(const struct spec *s, int root, const char *destination, unsigned attributes, struct err *e) {
  char set[SET], path[PATH_MAX], words[SET], done[CGROUP_TREES * SET] = "";
  for (int tree = 0; cgroup_layout() != CGROUP_UNIFIED && tree < CGROUP_TREES; tree++) {
    if (!shown(s, tree, set) || strstr(done, set) != NULL) continue;
    const char *controllers[8];
    int count = 0;
    memcpy(words, set, sizeof words);
    for (char *rest = words, *word; count < 8 && (word = strsep(&rest, ",")) != NULL;) controllers[count++] = word;
    snprintf(path, sizeof path, "%.2000s/%s", destination, set);
    strcat(strcat(done, set), " ");
    OWN_FD mounted = mounts_new("cgroup", controllers, count, attributes | ATTR_RDONLY, e);
    OWN_FD place = mounted < 0 ? -1 : root_find(root, path, O_DIRECTORY);
    /* In some user namespaces it is not allowed: the place stays empty. */
    if (place >= 0 && sys_move_mount(mounted, place) < 0) return err_set(e, errno, "attach the %s cgroup", set);
  }
  return 0;
}
