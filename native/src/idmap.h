/**
 * User and group ids of a user namespace: which outside ids stand behind the inside ones, who may write that down, and
 * how it is written (newuidmap and newgidmap, or a single id).
 */
#ifndef STRATA_IDMAP_H
#define STRATA_IDMAP_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

enum { IDMAP_MAX = 32 };

struct idrange {
  uint32_t inside, outside, count;
};
struct idmap {
  struct idrange ranges[IDMAP_MAX];
  int count;
};
struct idmaps {
  struct idmap uid, gid;
  bool single; /* one id only: setgroups is denied, no other owner can exist inside */
};

/** The map of an ordinary user: 0 is the user, 1 and up are the sub-ids of /etc/subuid and /etc/subgid where there are any. */
int idmaps_of_caller(struct idmaps *maps, struct err *e);

/** Gives `pid` (a process in a new user namespace that waits) its maps. Needs newuidmap and newgidmap for more than one id unless root. */
int idmaps_write(const struct idmaps *maps, pid_t pid, struct err *e);

/** The outside id of an inside one; false when there is none. */
bool idmap_outside(const struct idmap *map, uint32_t inside, uint32_t *outside);

bool idmap_has(const struct idmap *map, uint32_t inside);

/** The absolute path of newuidmap or newgidmap, NULL when it is not installed. */
const char *idmap_tool(bool gid);

#endif
