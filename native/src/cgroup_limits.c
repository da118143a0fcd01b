/** Limits, as the unified tree and as the v1 trees spell them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup_files.h"

/** The directory with the files of a controller, and whether it is the unified tree's; -1 when there is none. */
static int place(const struct cgroup *c, enum cgroup_tree tree, const char *unified_file, bool *unified) {
  int v2 = c->dirs[CGROUP_V2];
  *unified = v2 >= 0 && faccessat(v2, unified_file, F_OK, 0) == 0;
  return *unified ? v2 : c->dirs[tree];
}

static int nowhere(const char *what, struct err *e) {
  return err_set(e, 0, "the limit on %s can not be kept: there is no cgroup of ours with its controller", what);
}

static int refused(const char *what, int64_t number, struct err *e) {
  return err_set(e, errno, "set the limit on %s to %lld", what, (long long)number);
}

/** "max" is the unified tree's word for no limit. */
static int put_or_max(int dir, const char *file, int64_t number) {
  return number < 0 ? cgroup_put(dir, file, "max") : cgroup_put_number(dir, file, number);
}

static int memory_unified(int dir, const struct resources *r, struct err *e) {
  if (r->swap != RESOURCE_UNSET) {
    /* The specification counts memory and swap together, the unified tree each alone. */
    int64_t memory = r->memory != RESOURCE_UNSET ? r->memory : cgroup_get_number(dir, "memory.max", "");
    if (r->swap >= 0 && memory > r->swap) return err_set(e, 0, "the limit on memory and swap together is below that on memory");
    bool absent = faccessat(dir, "memory.swap.max", F_OK, 0) < 0; /* a kernel without swap: nothing can be swapped out */
    if (!absent && put_or_max(dir, "memory.swap.max", r->swap < 0 ? -1 : r->swap - (memory < 0 ? 0 : memory)) < 0) return refused("swap", r->swap, e);
  }
  if (r->memory != RESOURCE_UNSET && put_or_max(dir, "memory.max", r->memory) < 0) return refused("memory", r->memory, e);
  if (r->reservation != RESOURCE_UNSET && put_or_max(dir, "memory.low", r->reservation) < 0) return refused("memory reservation", r->reservation, e);
  return 0;
}

static int memory_v1(int dir, const struct resources *r, struct err *e) {
  static const char memory[] = "memory.limit_in_bytes", both[] = "memory.memsw.limit_in_bytes";
  int64_t swap = r->swap;
  if (r->memory < 0 && r->memory != RESOURCE_UNSET && swap == RESOURCE_UNSET) swap = -1; /* memory can not be more than both */
  if (swap >= 0 && r->memory > swap) return err_set(e, 0, "the limit on memory and swap together is below that on memory");
  bool has_both = faccessat(dir, both, F_OK, 0) == 0; /* not with swapaccount=0; then memory alone is kept */
  /* At no moment may memory be above both: what grows is written first where it is the upper one. */
  bool first = has_both && swap != RESOURCE_UNSET && (swap < 0 || swap > cgroup_get_number(dir, both, ""));
  if (first && cgroup_put_number(dir, both, swap) < 0) return refused("swap", swap, e);
  if (r->memory != RESOURCE_UNSET && cgroup_put_number(dir, memory, r->memory) < 0) return refused("memory", r->memory, e);
  if (!first && has_both && swap != RESOURCE_UNSET && cgroup_put_number(dir, both, swap) < 0) return refused("swap", swap, e);
  if (r->reservation != RESOURCE_UNSET && cgroup_put_number(dir, "memory.soft_limit_in_bytes", r->reservation) < 0)
    return refused("memory reservation", r->reservation, e);
  return 0;
}

/**
 * Shares (2 to 262144, 1024 is usual) as a weight (1 to 10000, 100 is usual), by the curve that runc 1.3 and crun 1.23 took
 * over from Kubernetes: each end and the usual values meet. The table has its values at the powers of two.
 */
static int64_t weight_of(int64_t shares) {
  static const int weights[] = {1, 2, 3, 5, 8, 12, 21, 35, 59, 100, 174, 303, 532, 942, 1681, 3023, 5478, 10000};
  int power = 1;
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  while (shares >> (power + 1) > 0) power++;
  int64_t low = weights[power - 1], high = weights[power], base = (int64_t)1 << power;
  return low + (high - low) * (shares - base) / base;
}

static int cpu_unified(int dir, const struct resources *r, struct err *e) {
  char text[48];
  if (r->shares != RESOURCE_UNSET && r->shares > 0 && cgroup_put_number(dir, "cpu.weight", weight_of(r->shares)) < 0)
    return refused("the share of the processors", r->shares, e);
  if (r->quota == RESOURCE_UNSET && r->period == RESOURCE_UNSET) return 0;
  int64_t period = r->period > 0 ? r->period : 100000;
  if (r->quota == RESOURCE_UNSET || r->quota <= 0) snprintf(text, sizeof text, "max %lld", (long long)period);
  else snprintf(text, sizeof text, "%lld %lld", (long long)r->quota, (long long)period);
  return cgroup_put(dir, "cpu.max", text) < 0 ? refused("processor time", r->quota, e) : 0;
}

static int cpu_v1(int dir, const struct resources *r, struct err *e) {
  if (r->shares != RESOURCE_UNSET && r->shares > 0 && cgroup_put_number(dir, "cpu.shares", r->shares) < 0)
    return refused("the share of the processors", r->shares, e);
  /* A quota that is there may be too large for the new period: it goes, and the new one comes. */
  if (r->period != RESOURCE_UNSET && r->period > 0 && cgroup_put_number(dir, "cpu.cfs_period_us", r->period) < 0 &&
      (cgroup_put_number(dir, "cpu.cfs_quota_us", -1) < 0 || cgroup_put_number(dir, "cpu.cfs_period_us", r->period) < 0))
    return refused("processor time", r->period, e);
  if (r->quota != RESOURCE_UNSET && cgroup_put_number(dir, "cpu.cfs_quota_us", r->quota <= 0 ? -1 : r->quota) < 0)
    return refused("processor time", r->quota, e);
  return 0;
}

static int memory(const struct cgroup *c, const struct resources *r, struct err *e) {
  bool unified;
  int dir = place(c, CGROUP_MEMORY, "memory.max", &unified);
  if (dir < 0) return nowhere("memory", e);
  return unified ? memory_unified(dir, r, e) : memory_v1(dir, r, e);
}

static int cpu(const struct cgroup *c, const struct resources *r, struct err *e) {
  bool unified;
  int dir = place(c, CGROUP_CPU, "cpu.max", &unified);
  if (dir < 0) return nowhere("processor time", e);
  return unified ? cpu_unified(dir, r, e) : cpu_v1(dir, r, e);
}

static int pids(const struct cgroup *c, const struct resources *r, struct err *e) {
  bool unified;
  int dir = place(c, CGROUP_PIDS, "pids.max", &unified);
  if (dir < 0) return nowhere("processes", e);
  return put_or_max(dir, "pids.max", r->pids <= 0 ? -1 : r->pids) < 0 ? refused("processes", r->pids, e) : 0;
}

int cgroup_limit(const struct cgroup *c, const struct resources *r, struct err *e) {
  struct err more, *to = e;
  int result = 0;
  /* One that can not be kept is no reason not to keep the others; the first is told. */
  if (resources_memory(r) && memory(c, r, to) < 0) result = -1, to = &more;
  if (resources_cpu(r) && cpu(c, r, to) < 0) result = -1, to = &more;
  if (resources_pids(r) && pids(c, r, to) < 0) result = -1;
  return result;
}
