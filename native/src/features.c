/** Every answer is tried in a child of its own, in namespaces of its own, so that nothing is left of it. */
#include "features.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "idmap.h"
#include "net_rules.h"
#include "out.h"
#include "own.h"
#include "spawn.h"
#include "sys.h"

/** What the child found; shared memory, because the child is another process. */
struct findings {
  bool mounts, overlay, lower_plus, lower_fd, whiteout;
  int mount_error;
};

static bool overlay_takes(const char *key, unsigned command, const void *value, int aux) {
  OWN_FD fs = sys_fsopen("overlay");
  return fs >= 0 && sys_fsconfig(fs, command, key, value, aux) == 0;
}

/** In a private mount namespace with a file system in memory over /tmp. */
static int probe(void *argument, const struct idmaps *maps) {
  struct findings *f = argument;
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID, "mode=0755,size=1m") < 0) {
    f->mount_error = errno;
    return 0;
  }
  f->mounts = true;
  if (mkdir("/tmp/a", 0755) < 0 || mkdir("/tmp/b", 0755) < 0 || mkdir("/tmp/u", 0755) < 0 || mkdir("/tmp/w", 0755) < 0 || mkdir("/tmp/m", 0755) < 0) return 0;
  bool user = maps != NULL;
  f->overlay = mount("overlay", "/tmp/m", "overlay", 0,
                     user ? "lowerdir=/tmp/a:/tmp/b,upperdir=/tmp/u,workdir=/tmp/w,userxattr" : "lowerdir=/tmp/a:/tmp/b,upperdir=/tmp/u,workdir=/tmp/w") == 0;
  f->lower_plus = overlay_takes("lowerdir+", FSCONFIG_STRING, "/tmp/a", 0);
  OWN_FD dir = open("/tmp/a", O_PATH | O_CLOEXEC);
  f->lower_fd = overlay_takes("lowerdir+", FSCONFIG_FD, NULL, dir);
  f->whiteout = mknod("/tmp/a/x", S_IFCHR, 0) == 0;
  return 0;
}

/** A cgroup is made and removed again; nothing is in it. */
static bool cgroup_tried(const struct resources *limits, bool *freezes) {
  struct cgroup c;
  struct err warning, e;
  bool made = cgroup_create(&c, "strata-features", NULL, limits, &warning, &e) == 0 && c.path[0] != 0 && warning.text[0] == 0;
  if (freezes != NULL) *freezes = made && cgroup_freezable(&c);
  if (c.path[0] != 0) cgroup_remove(&c, &e);
  return made;
}

/** Which limits can be kept for this user, and whether a container can be paused without noticing. */
static void write_limits(struct out *o) {
  struct resources memory = RESOURCES_NONE, cpu = RESOURCES_NONE, pids = RESOURCES_NONE, none = RESOURCES_NONE;
  const struct { const char *name; const struct resources *limits; } kinds[] = {{"memory", &memory}, {"cpu", &cpu}, {"pids", &pids}};
  bool freezes;
  memory.memory = cpu.quota = pids.pids = -1;
  out_key(o, "limits");
  out_open(o, '[');
  for (int i = 0; i < 3; i++)
    if (cgroup_tried(kinds[i].limits, NULL)) out_string(o, kinds[i].name, strlen(kinds[i].name));
  out_close(o, ']');
  cgroup_tried(&none, &freezes);
  out_bool(o, "freezes", freezes);
}

static bool clone3_works(void) {
  struct clone_args_ bad = {0};
  return syscall(435, &bad, 0) < 0 && errno != ENOSYS;
}

static bool close_range_works(void) { return sys_close_range(1u << 30, 1u << 30, 0) == 0; }

static long number_in(const char *path) {
  char text[24] = "";
  OWN_FD fd = open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 || read(fd, text, sizeof text - 1) <= 0 ? -1 : strtol(text, NULL, 10);
}

static void write_ids(struct out *o, const struct idmap *map, const char *key) {
  int64_t sum = 0;
  for (int i = 0; i < map->count; i++) sum += map->ranges[i].count;
  out_number(o, key, sum);
}

static void write_findings(struct out *o, const struct findings *f) {
  out_key(o, "overlay");
  out_open(o, '{');
  out_bool(o, "mounts", f->overlay);
  out_bool(o, "lowerPlus", f->lower_plus);
  out_bool(o, "lowerByDescriptor", f->lower_fd);
  out_bool(o, "whiteouts", f->whiteout);
  out_close(o, '}');
}

int features_main(struct err *e) {
  struct findings *f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (f == MAP_FAILED) return err_set(e, errno, "mmap");
  struct err why = {0};
  struct idmaps maps;
  struct utsname name;
  bool root = geteuid() == 0;
  idmaps_of_caller(&maps, &why);
  uname(&name);
  /* As root the probe runs in a child too: its mounts must not become ours. */
  pid_t child = root ? fork() : -1;
  if (child == 0) _exit(probe(f, NULL));
  if (child > 0) waitpid(child, NULL, 0);
  int done = root ? 0 : spawn_job(probe, f, &why);
  struct out o = {0};
  out_open(&o, '{');
  out_text(&o, "kernel", name.release);
  out_text(&o, "machine", name.machine);
  out_bool(&o, "root", root);
  out_bool(&o, "userNamespaces", root ? number_in("/proc/sys/user/max_user_namespaces") != 0 : done == 0);
  out_text(&o, "userNamespacesWhyNot", done == 0 ? NULL : why.text);
  out_bool(&o, "subIds", !maps.single);
  write_ids(&o, &maps.uid, "uids");
  write_ids(&o, &maps.gid, "gids");
  out_text(&o, "newuidmap", idmap_tool(false));
  out_text(&o, "newgidmap", idmap_tool(true));
  out_bool(&o, "mounts", f->mounts);
  out_number(&o, "mountErrno", f->mount_error);
  write_findings(&o, f);
  out_text(&o, "cgroups", cgroup_layout_name(cgroup_layout()));
  write_limits(&o);
  out_text(&o, "rules", rules_tool());
  out_bool(&o, "seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0);
  OWN_FD self = sys_pidfd_open(getpid());
  out_bool(&o, "pidfd", self >= 0);
  out_bool(&o, "clone3", clone3_works());
  out_bool(&o, "closeRange", close_range_works());
  out_bool(&o, "openat2", sys_openat2(AT_FDCWD, ".", O_PATH, 0, RESOLVE_IN_ROOT_) >= 0);
  out_close(&o, '}');
  int result = out_flush(&o, 1) < 0 ? err_set(e, errno, "write the answer") : 0;
  out_free(&o);
  munmap(f, sizeof *f);
  return result;
}
