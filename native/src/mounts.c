/** Attaches the mounts of the specification, each made complete before anyone inside can see it. */
#include "mounts.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup_mount.h"
#include "mount_options.h"
#include "own.h"
#include "rootfs.h"
#include "sys.h"

#define LIST(...) {.items = (const char *[]){__VA_ARGS__, NULL}, .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)}

/** Docker's set (moby's oci/defaults.go). */
static const struct mount_spec usual[] = {
    {"/proc", "proc", "proc", LIST("nosuid", "nodev", "noexec")},
    {"/dev", "tmpfs", "tmpfs", LIST("nosuid", "strictatime", "mode=0755", "size=65536k")},
    {"/dev/pts", "devpts", "devpts", LIST("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5")},
    {"/dev/shm", "tmpfs", "shm", LIST("nosuid", "noexec", "nodev", "mode=1777", "size=65536k")},
    {"/dev/mqueue", "mqueue", "mqueue", LIST("nosuid", "noexec", "nodev")},
    {"/sys", "sysfs", "sysfs", LIST("nosuid", "noexec", "nodev", "ro")},
    {"/sys/fs/cgroup", "cgroup", "cgroup", LIST("nosuid", "noexec", "nodev", "ro")},
};

const struct mount_spec *mounts_of(const struct spec *s, int *count) {
  *count = s->mount_count > 0 ? s->mount_count : (int)(sizeof usual / sizeof usual[0]);
  return s->mount_count > 0 ? s->mounts : usual;
}

static bool is_bind(const struct mount_spec *m, const struct mount_options *o) {
  return o->bind || (m->type != NULL && strcmp(m->type, "bind") == 0);
}

/** A file's place is a file, everything else's a directory. */
static int place(int root, const struct mount_spec *m, int source, struct err *e) {
  struct stat st = {.st_mode = S_IFDIR};
  if (source >= 0 && fstat(source, &st) < 0) return err_set(e, errno, "%s", m->source);
  return S_ISDIR(st.st_mode) ? root_make_directory(root, m->destination, e) : root_make_file(root, m->destination, e);
}

/**
 * As Docker's own layer for what is mounted in every container: the places of these show up nowhere. Those of a person's
 * volumes are the container's, and stand in its upper directory, where there is one.
 */
static bool usual_place(const char *path) {
  static const char *const files[] = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}, *const trees[] = {"/proc", "/dev", "/sys"};
  for (int i = 0; i < 3; i++) {
    size_t length = strlen(trees[i]);
    if (strcmp(path, files[i]) == 0 || (strncmp(path, trees[i], length) == 0 && (path[length] == 0 || path[length] == '/'))) return true;
  }
  return false;
}

int mounts_make_places(int places, const struct spec *s, const struct mount_sources *sources, struct err *e) {
  int count;
  const struct mount_spec *mounts = mounts_of(s, &count);
  for (int i = 0; i < count; i++) {
    if (s->upper != NULL && !usual_place(mounts[i].destination)) continue;
    OWN_FD made = place(places, &mounts[i], sources->fds[i], e);
    if (made < 0) return -1;
  }
  return 0;
}

int mounts_new(const char *type, const char *const *data, int count, unsigned attributes, struct err *e) {
  OWN_FD fs = sys_fsopen(type);
  if (fs < 0) return err_set(e, errno, "file system %s", type);
  for (int i = 0; i < count; i++) {
    char key[64];
    const char *equals = strchr(data[i], '=');
    size_t length = equals == NULL ? strlen(data[i]) : (size_t)(equals - data[i]);
    if (length >= sizeof key) return err_set(e, EINVAL, "mount option %.60s", data[i]);
    memcpy(key, data[i], length);
    key[length] = 0;
    if (sys_fsconfig(fs, equals == NULL ? FSCONFIG_FLAG : FSCONFIG_STRING, key, equals == NULL ? NULL : equals + 1, 0) < 0)
      return err_set(e, errno, "mount option %.60s of %s", data[i], type);
  }
  if (sys_fsconfig(fs, FSCONFIG_CREATE, NULL, NULL, 0) < 0) return err_set(e, errno, "mount %s", type);
  int mounted = sys_fsmount(fs, attributes);
  return mounted < 0 ? err_set(e, errno, "mount %s", type) : mounted;
}

/** A piece of the host's tree with all restrictions on before it is attached; devices are dead on it unless it is one. */
static int bind_source(const char *source, const struct mount_options *o, bool user, struct err *e) {
  OWN_FD tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | (o->recursive || user ? AT_RECURSIVE : 0));
  struct stat st;
  if (tree < 0 || fstat(tree, &st) < 0) return err_set(e, errno, "%s", source);
  unsigned nodev = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? 0 : ATTR_NODEV;
  struct mount_attr_ attr = {.set = o->set | nodev, .propagation = o->propagation != 0 ? o->propagation : 1u << 18 /* MS_PRIVATE */};
  if (o->clear & ATTR_ATIME_MASK) attr.clear = ATTR_ATIME_MASK;
  if (sys_mount_setattr(tree, AT_RECURSIVE, &attr) < 0) return err_set(e, errno, "restrict the mount of %s", source);
  return own_give(&tree);
}

/** Where sysfs can not be mounted (the host's network in a user namespace): the host's, read-only. */
static int host_sysfs(struct err *e) {
  struct mount_options o = {.recursive = true, .set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NOEXEC | ATTR_NODEV};
  return bind_source("/sys", &o, true, e);
}

static bool is_cgroup(const struct mount_spec *m) {
  return m->type != NULL && (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0);
}

static int new_mount(const struct mount_spec *m, struct mount_options *o, const struct spec *s, bool user, struct err *e) {
  const char *type = m->type == NULL ? "none" : m->type;
  unsigned attributes = o->set;
  if (strcmp(type, "devpts") == 0) {
    for (int i = o->count - 1; i >= 0; i--)
      if (user && strncmp(o->data[i], "gid=", 4) == 0 && strcmp(o->data[i], "gid=5") == 0 && !idmap_has(&s->maps.gid, 5)) o->data[i] = o->data[--o->count];
    return mounts_new(type, o->data, o->count, attributes & ~ATTR_NODEV, e);
  }
  attributes |= ATTR_NODEV;
  if (is_cgroup(m)) return cgroup_mount_new(s, attributes, e);
  if (strcmp(type, "sysfs") == 0) {
    int mounted = mounts_new(type, NULL, 0, attributes, e);
    return mounted < 0 && e->number == EPERM && user ? host_sysfs(e) : mounted;
  }
  if (strcmp(type, "proc") == 0 || strcmp(type, "tmpfs") == 0 || strcmp(type, "mqueue") == 0)
    return mounts_new(type, o->data, o->count, attributes, e);
  return err_set(e, 0, "mounts of type %.60s are not supported", type);
}

int mounts_open(const struct spec *s, bool user, struct mount_sources *sources, struct err *e) {
  int count;
  const struct mount_spec *mounts = mounts_of(s, &count);
  for (int i = 0; i < MAX_MOUNTS; i++) sources->fds[i] = -1;
  for (int i = 0; i < count; i++) {
    struct mount_options o;
    if (mount_options_read(&mounts[i].options, &o, e) < 0) return err_in(e, "mount %.200s", mounts[i].destination);
    if (!is_bind(&mounts[i], &o)) continue;
    if (mounts[i].source == NULL) return err_set(e, 0, "mount %.200s: nothing is given to bind", mounts[i].destination);
    if ((sources->fds[i] = bind_source(mounts[i].source, &o, user, e)) < 0) return err_in(e, "mount %.200s", mounts[i].destination);
  }
  return 0;
}

void mounts_close(struct mount_sources *sources) {
  for (int i = 0; i < MAX_MOUNTS; i++) own_close(&sources->fds[i]);
}

static int attach(int root, const struct mount_spec *m, int source, const struct spec *s, bool user, struct err *e) {
  struct mount_options o;
  if (mount_options_read(&m->options, &o, e) < 0) return -1;
  OWN_FD fresh = source >= 0 ? -1 : new_mount(m, &o, s, user, e);
  if (source < 0 && fresh < 0) return -1;
  OWN_FD at = place(root, m, source, e);
  if (at < 0) return -1;
  if (sys_move_mount(source >= 0 ? source : fresh, at) < 0) return err_set(e, errno, "attach the mount");
  return source < 0 && is_cgroup(m) ? cgroup_mount_trees(s, root, m->destination, o.set | ATTR_NODEV, e) : 0;
}

int mounts_attach(int root, const struct spec *s, bool user, const struct mount_sources *sources, bool *own_dev, struct err *e) {
  int count;
  const struct mount_spec *mounts = mounts_of(s, &count);
  *own_dev = false;
  for (int i = 0; i < count; i++) {
    if (attach(root, &mounts[i], sources->fds[i], s, user, e) < 0) return err_in(e, "mount %.200s", mounts[i].destination);
    if (strcmp(mounts[i].destination, "/dev") == 0) *own_dev = sources->fds[i] < 0;
  }
  return 0;
}
