/** Limits of a container: config.json `linux.resources`, the part of it that is kept. */
#ifndef STRATA_RESOURCES_H
#define STRATA_RESOURCES_H
#include <stdbool.h>
#include <stdint.h>

#define RESOURCE_UNSET INT64_MIN

/** Each one RESOURCE_UNSET where nothing is asked for; -1 takes a limit away. */
struct resources {
  int64_t memory;      /* bytes */
  int64_t swap;        /* bytes of memory and swap together, as the specification counts */
  int64_t reservation; /* bytes */
  int64_t shares, quota, period;
  int64_t pids;
};

#define RESOURCES_NONE \
  ((struct resources){RESOURCE_UNSET, RESOURCE_UNSET, RESOURCE_UNSET, RESOURCE_UNSET, RESOURCE_UNSET, RESOURCE_UNSET, RESOURCE_UNSET})

static inline bool resources_memory(const struct resources *r) {
  return r->memory != RESOURCE_UNSET || r->swap != RESOURCE_UNSET || r->reservation != RESOURCE_UNSET;
}
static inline bool resources_cpu(const struct resources *r) {
  return r->shares != RESOURCE_UNSET || r->quota != RESOURCE_UNSET || r->period != RESOURCE_UNSET;
}
static inline bool resources_pids(const struct resources *r) { return r->pids != RESOURCE_UNSET; }
static inline bool resources_any(const struct resources *r) { return resources_memory(r) || resources_cpu(r) || resources_pids(r); }

#endif
