/** Which trees there are, and the container's directory in each. */
#include "cgroup.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "cgroup_files.h"
#include "own.h"
#include "sys.h"

enum { MAGIC_V2 = 0x63677270, MAGIC_TMPFS = 0x01021994, SAME_NAMES = 1000, MAKE_TRIES = 20, REMOVE_TRIES = 200, MAX_DEPTH = 64 };

static const char *const names[CGROUP_TREES] = {"unified", "memory", "cpu", "cpuacct", "pids", "freezer"};

enum cgroup_layout cgroup_layout(void) {
  struct statfs fs;
  if (statfs("/sys/fs/cgroup", &fs) < 0) return CGROUP_NONE;
  if (fs.f_type == MAGIC_V2) return CGROUP_UNIFIED;
  bool v1 = fs.f_type == MAGIC_TMPFS;
  if (statfs("/sys/fs/cgroup/unified", &fs) == 0 && fs.f_type == MAGIC_V2) return CGROUP_HYBRID;
  return v1 ? CGROUP_V1 : CGROUP_NONE;
}

const char *cgroup_tree_name(enum cgroup_tree tree) { return names[tree]; }

const char *cgroup_layout_name(enum cgroup_layout layout) {
  static const char *const words[] = {"none", "v1", "hybrid", "unified"};
  return words[layout];
}

/** The top of a tree, -1 where this machine has no such tree. */
static int tree_root(enum cgroup_tree tree) {
  char path[64] = "/sys/fs/cgroup";
  enum cgroup_layout layout = cgroup_layout();
  if (layout == CGROUP_NONE || (layout == CGROUP_UNIFIED && tree != CGROUP_V2) || (layout == CGROUP_V1 && tree == CGROUP_V2)) return -1;
  if (layout != CGROUP_UNIFIED) snprintf(path, sizeof path, "/sys/fs/cgroup/%s", names[tree]);
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/** Only the root of the whole tree may have both, processes and children with limits; any other would make its children unusable. */
static bool may_enable(int dir) {
  char first[8];
  if (faccessat(dir, "cgroup.type", F_OK, 0) < 0) return true;
  return cgroup_get(dir, "cgroup.procs", first, sizeof first) == 0 && first[0] == 0;
}

/** Lets the children of a unified cgroup have limits. What does not work is told when a limit is set. */
static void enable_controllers(int dir) {
  if (!may_enable(dir)) return;
  static const char *const wanted[] = {"memory", "cpu", "pids"};
  for (int i = 0; i < 3; i++) {
    char text[16];
    if (cgroup_has_word(dir, "cgroup.subtree_control", wanted[i]) || !cgroup_has_word(dir, "cgroup.controllers", wanted[i])) continue;
    snprintf(text, sizeof text, "+%s", wanted[i]);
    cgroup_put(dir, "cgroup.subtree_control", text);
  }
}

/** Opens `path` in a tree and makes what is missing of it; `fresh`: the last directory must not be there yet. -1 with errno. */
static int make_once(enum cgroup_tree tree, const char *path, bool fresh) {
  OWN_FD at = tree_root(tree);
  while (at >= 0 && *path != 0) {
    char name[256];
    path += strspn(path, "/");
    size_t length = strcspn(path, "/");
    if (length >= sizeof name) return errno = ENAMETOOLONG, -1;
    if (length == 0) break;
    memcpy(name, path, length);
    name[length] = 0;
    path += length;
    if (tree == CGROUP_V2) enable_controllers(at);
    bool last = path[strspn(path, "/")] == 0;
    if (mkdirat(at, name, 0755) < 0 && (errno != EEXIST || (last && fresh))) return -1;
    int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) return -1;
    close(at);
    at = next;
  }
  return own_give(&at);
}

/** The directory above goes with the last container in it, maybe at this moment. */
static int make(enum cgroup_tree tree, const char *path, bool fresh) {
  int dir = -1;
  for (int tries = 0; tries < MAKE_TRIES && (dir = make_once(tree, path, fresh)) < 0; tries++)
    if (errno != ENOENT && errno != ENODEV) break;
  return dir;
}

static int open_existing(enum cgroup_tree tree, const char *path) {
  OWN_FD root = tree_root(tree);
  if (root < 0) return -1;
  return openat(root, path + strspn(path, "/"), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/** Our own cgroup in the unified tree. */
static bool own_path(char path[CGROUP_PATH]) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  bool found = false;
  if (file == NULL) return false;
  char line[CGROUP_PATH + 8];
  while (!found && fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, "0::/", 4) != 0) continue;
    line[strcspn(line, "\n")] = 0;
    found = snprintf(path, CGROUP_PATH, "%s", line + 3) < CGROUP_PATH;
  }
  fclose(file);
  return found;
}

/** How many of the limits a child of this cgroup could have. */
static int limits_possible(int dir, const struct resources *r) {
  enable_controllers(dir);
  return (resources_memory(r) && cgroup_has_word(dir, "cgroup.subtree_control", "memory")) +
         (resources_cpu(r) && cgroup_has_word(dir, "cgroup.subtree_control", "cpu")) +
         (resources_pids(r) && cgroup_has_word(dir, "cgroup.subtree_control", "pids"));
}

/**
 * The nearest cgroup around us that was delegated to an ordinary user: its cgroup.procs must be ours to write, too, for the
 * kernel wants that of the common ancestor when a process moves. One that can set more of the limits is preferred.
 */
static bool delegated(const struct resources *limits, char found[CGROUP_PATH]) {
  char path[CGROUP_PATH];
  int best = -1;
  OWN_FD root = tree_root(CGROUP_V2);
  if (root < 0 || !own_path(path)) return false;
  for (;;) {
    const char *below = path[1] == 0 ? "." : path + 1;
    OWN_FD dir = openat(root, below, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0 && faccessat(dir, ".", W_OK, AT_EACCESS) == 0 && faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) == 0) {
      int possible = limits_possible(dir, limits);
      if (possible > best) memcpy(found, path, sizeof path);
      if (possible > best) best = possible;
    }
    char *slash = strrchr(path, '/');
    if (slash == path && path[1] == 0) return best >= 0;
    *(slash == path ? slash + 1 : slash) = 0;
  }
}

/** Where the container's cgroup is to be; `found` empty: nowhere. */
static int choose(const char *id, const char *wanted, const struct resources *limits, char found[CGROUP_PATH], struct err *e) {
  char base[CGROUP_PATH] = "/strata";
  found[0] = 0;
  bool absolute = wanted != NULL && wanted[0] == '/';
  if (!absolute && geteuid() != 0 && !delegated(limits, base)) return 0;
  const char *name = wanted != NULL && wanted[0] != 0 ? wanted : id;
  for (const char *at = name; *at != 0; at += strcspn(at, "/")) {
    at += strspn(at, "/");
    if (strncmp(at, "..", 2) == 0 && (at[2] == 0 || at[2] == '/')) return err_set(e, 0, "config: linux.cgroupsPath %.200s leads upwards", name);
  }
  const char *lead = geteuid() == 0 || wanted != NULL ? "" : "strata-";
  int length = absolute ? snprintf(found, CGROUP_PATH, "%s", name) : snprintf(found, CGROUP_PATH, "%s/%s%s", base[1] == 0 ? "" : base, lead, name);
  return length >= CGROUP_PATH - 8 ? err_set(e, ENAMETOOLONG, "linux.cgroupsPath") : 0;
}

/** Makes the directory that decides about the name: nobody else has it. `first` is the tree it is in. */
static int make_first(struct cgroup *c, enum cgroup_tree *first, bool given) {
  static const enum cgroup_tree order[] = {CGROUP_V2, CGROUP_FREEZER, CGROUP_PIDS, CGROUP_MEMORY};
  char path[CGROUP_PATH];
  int number = ENOENT;
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    memcpy(path, c->path, sizeof path);
    for (int same = 0, dir; same < SAME_NAMES; same++) {
      if (same > 0) snprintf(c->path, sizeof c->path, "%.1000s-%d", path, same);
      if ((dir = make(order[i], c->path, !given)) >= 0) return *first = order[i], c->dirs[order[i]] = dir, 0;
      if (errno != EEXIST) break;
    }
    if (errno != ENOENT || number == ENOENT) number = errno;
    memcpy(c->path, path, sizeof path);
  }
  return errno = number, -1;
}

/** Processes or cgroups in it: not one that can be taken for a container. */
static bool in_use(int dir) {
  char text[8];
  struct stat st;
  return (cgroup_get(dir, "cgroup.procs", text, sizeof text) == 0 && text[0] != 0) || (fstat(dir, &st) == 0 && st.st_nlink > 2);
}

/**
 * Moving a process into a v1 cgroup costs some 15 ms (the kernel waits for all processors), against nothing for a clone
 * into a unified one: the trees of controllers only where they are to limit something, the freezer where nothing else freezes.
 */
static bool needed(const struct cgroup *c, enum cgroup_tree tree, const struct resources *limits) {
  if (tree == CGROUP_FREEZER) return c->dirs[CGROUP_V2] < 0 || faccessat(c->dirs[CGROUP_V2], "cgroup.freeze", F_OK, 0) < 0;
  return resources_any(limits);
}

int cgroup_create(struct cgroup *c, const char *id, const char *wanted, const struct resources *limits, struct err *warning, struct err *e) {
  enum cgroup_tree first;
  bool root = geteuid() == 0, given = wanted != NULL && wanted[0] != 0;
  warning->text[0] = 0;
  cgroup_open(c, "");
  if (choose(id, wanted, limits, c->path, e) < 0) return -1;
  if (c->path[0] == 0 || make_first(c, &first, given) < 0) {
    int number = c->path[0] == 0 ? 0 : errno;
    char path[CGROUP_PATH];
    memcpy(path, c->path, sizeof path);
    c->path[0] = 0;
    if (!resources_any(limits) && !given) return 0;
    struct err *to = root || !resources_any(limits) ? e : warning;
    err_set(to, number, "%s%s%s", resources_any(limits) ? "the limits on memory, cpu or processes can not be kept: " : "",
            number == 0 ? "no cgroup was delegated to this user" : "make the cgroup ", number == 0 ? "" : path);
    return to == e ? -1 : 0;
  }
  if (given && in_use(c->dirs[first])) {
    err_set(e, 0, "the cgroup %.200s is in use", c->path);
    return cgroup_close(c), -1;
  }
  for (int i = 0; i < CGROUP_TREES; i++)
    if (c->dirs[i] < 0 && (root || given) && needed(c, (enum cgroup_tree)i, limits)) c->dirs[i] = make((enum cgroup_tree)i, c->path, false);
  if (cgroup_limit(c, limits, root ? e : warning) < 0 && root) {
    struct err ignored;
    cgroup_remove(c, &ignored);
    return -1;
  }
  return 0;
}

void cgroup_open(struct cgroup *c, const char *path) {
  snprintf(c->path, sizeof c->path, "%s", path);
  for (int i = 0; i < CGROUP_TREES; i++) c->dirs[i] = path[0] == 0 ? -1 : open_existing((enum cgroup_tree)i, path);
}

void cgroup_close(struct cgroup *c) {
  for (int i = 0; i < CGROUP_TREES; i++) {
    own_close(&c->dirs[i]);
    c->dirs[i] = -1;
  }
}

int cgroup_clone_into(const struct cgroup *c) { return c->dirs[CGROUP_V2]; }

/** A real-time process has no share of the ordinary scheduler, and the kernel refuses it where groups have no real-time budget. */
static bool real_time(pid_t pid) {
  int policy = sched_getscheduler(pid);
  return policy == SCHED_FIFO || policy == SCHED_RR;
}

int cgroup_enter(const struct cgroup *c, pid_t pid, bool cloned, struct err *e) {
  for (int i = 0; i < CGROUP_TREES; i++) {
    if (c->dirs[i] < 0 || (i == CGROUP_V2 && cloned)) continue;
    if (cgroup_put_number(c->dirs[i], "cgroup.procs", pid) == 0) continue;
    if (i == CGROUP_CPU && errno == EINVAL && real_time(pid)) continue;
    return err_set(e, errno, "put the process into the %s cgroup %.200s", names[i], c->path);
  }
  return 0;
}

/** What is in the unified cgroup goes into the others too; frozen meanwhile, so that nobody is born on the way. */
static int move_all(const struct cgroup *c, struct err *e) {
  OWN_FD list = openat(c->dirs[CGROUP_V2], "cgroup.procs", O_RDONLY | O_CLOEXEC);
  FILE *file = list < 0 ? NULL : fdopen(own_give(&list), "r");
  int result = file == NULL ? err_set(e, errno, "list the container's processes") : 0;
  char line[24];
  while (result == 0 && fgets(line, sizeof line, file) != NULL) result = cgroup_enter(c, (pid_t)strtol(line, NULL, 10), true, e);
  if (file != NULL) fclose(file);
  return result;
}

int cgroup_extend(struct cgroup *c, const struct resources *limits, struct err *e) {
  struct err ignored;
  bool missing = false;
  if (c->dirs[CGROUP_V2] < 0 || geteuid() != 0 || cgroup_layout() != CGROUP_HYBRID) return 0;
  for (int i = 0; i < CGROUP_TREES; i++) {
    if (c->dirs[i] >= 0 || !needed(c, (enum cgroup_tree)i, limits)) continue;
    if ((c->dirs[i] = make((enum cgroup_tree)i, c->path, false)) < 0 && errno != ENOENT) return err_set(e, errno, "make the %s cgroup %.200s", names[i], c->path);
    missing = true;
  }
  if (!missing) return 0;
  bool was = cgroup_frozen(c);
  if (!was && cgroup_freeze(c, true, e) < 0) return -1;
  int result = move_all(c, e);
  if (!was) cgroup_freeze(c, false, &ignored);
  return result;
}

/** rmdir from the leaves up: the container may have made some of its own. */
static int remove_tree(int parent, const char *name, int depth) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  int fd = depth == MAX_DEPTH ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  OWN_DIR dir = fd < 0 ? NULL : fdopendir(fd);
  for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;)
    if (d->d_type == DT_DIR && strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0) remove_tree(dirfd(dir), d->d_name, depth + 1);
  return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

/** The directory that all our containers are in goes with the last of them. */
static void remove_common(int root, const char *path) {
  if (strncmp(path, "/strata/", 8) == 0 && strchr(path + 8, '/') == NULL) unlinkat(root, "strata", AT_REMOVEDIR);
}

int cgroup_remove(struct cgroup *c, struct err *e) {
  int result = 0;
  cgroup_close(c);
  for (int i = 0; i < CGROUP_TREES && c->path[0] != 0; i++) {
    OWN_FD root = tree_root((enum cgroup_tree)i);
    const char *below = c->path + strspn(c->path, "/");
    /* The last process is gone a moment before its cgroup knows. */
    for (int tries = 0; root >= 0 && remove_tree(root, below, 0) < 0; tries++) {
      if (errno != EBUSY || tries == REMOVE_TRIES) {
        if (errno != EROFS && errno != EACCES && errno != EPERM) result = err_set(e, errno, "remove the %s cgroup %.200s", names[i], c->path);
        break;
      }
      nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    if (root >= 0) remove_common(root, c->path);
  }
  return result;
}
