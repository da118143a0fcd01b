/**
 * What a container is to be: the subset of the OCI runtime specification's config.json that is read, plus one object of
 * our own, `strata`. README.md of native/ lists it. Unknown members are passed over, as the specification asks.
 */
#ifndef STRATA_SPEC_H
#define STRATA_SPEC_H
#include <sys/resource.h>

#include "again.h"
#include "idmap.h"
#include "net_spec.h"
#include "pick.h"
#include "resources.h"

enum { MAX_LAYERS = 500, MAX_GROUPS = 1024, MAX_MOUNTS = 256, MAX_RLIMITS = 16 };

struct mount_spec {
  const char *destination, *type, *source;
  struct list options;
};

struct rlimit_spec {
  int resource;
  struct rlimit limit;
};

/** Times in milliseconds. */
struct health_spec {
  struct list test; /* the command; empty: there is no check */
  int64_t interval, timeout, start_period, retries;
};

struct spec {
  struct json_document document;
  const char *root;              /* a directory to use as it is; NULL with layers */
  bool readonly;
  struct list lower;             /* layer directories, top first */
  const char *upper, *work;      /* NULL: nothing can be written */
  bool volatile_upper;
  bool classic_mount;            /* mount(2) even where the kernel has fsopen */
  const char *hostname, *domainname;
  struct list args, env;
  struct list instead;           /* other names for args[0], tried in turn where it is not found: which shell an image has is known inside only */
  const char *cwd;
  bool terminal;
  int64_t rows, columns;
  const char *user;              /* "name", "name:group", numbers: looked up inside; NULL when uid and gid are given */
  uint32_t uid, gid;
  uint32_t groups[MAX_GROUPS];
  int group_count;
  uint64_t bounding, permitted, effective, ambient;
  bool no_new_privileges, init;
  int64_t oom_score;             /* INT64_MIN: leave it */
  int64_t umask;                 /* -1: leave it */
  struct rlimit_spec rlimits[MAX_RLIMITS];
  int rlimit_count;
  int namespaces;                /* CLONE_NEW* */
  bool has_maps;                 /* `maps` was given; otherwise an ordinary user gets idmaps_of_caller */
  struct idmaps maps;
  struct mount_spec mounts[MAX_MOUNTS];
  int mount_count;
  struct list masked, read_only;
  const struct json *sysctl;     /* an object of strings, or NULL */
  const char *cgroups_path;      /* NULL: ours to choose */
  struct resources resources;
  unsigned cgroup_trees;         /* not read: in which trees the container was given a cgroup, a bit for each */
  struct network_spec *network;  /* `strata.network`; NULL: none of ours */
  struct again again;            /* whether it is started again when it has ended, by its monitor */
  struct health_spec health;
  bool unconfined;               /* no seccomp filter; asked for by `strata.seccomp: "none"` */
};

/** Reads and checks everything that can be checked without touching a file. The caller frees with spec_free, also after an error. */
int spec_read(struct spec *s, const char *text, size_t length, struct err *e);
void spec_free(struct spec *s);

int spec_read_process(struct spec *s, const struct pick *root, struct err *e);
int spec_read_linux(struct spec *s, const struct pick *root, struct err *e);

/** `linux.resources`; `p` is the object `linux`, or any other that has a member `resources`. */
int spec_read_resources(struct resources *r, const struct pick *p);

#endif
