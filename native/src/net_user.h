/**
 * The network of an ordinary user's container: pasta or slirp4netns, programs of others that carry its packets through
 * sockets of ours. They end with us.
 */
#ifndef STRATA_NET_USER_H
#define STRATA_NET_USER_H
#include <sys/types.h>

#include "net_spec.h"

struct user_network {
  pid_t pid;  /* 0: there is none */
  int errors; /* what it complains about; kept open, or it would end of that */
};

/** Back when the container has its network. `pidfd` is of its first process, `pid`. */
int user_network_begin(struct user_network *u, const struct network_spec *s, pid_t pid, struct err *e);
void user_network_end(struct user_network *u);

/** The container's first address that is not the loopback's, 0 when it has none. */
uint32_t user_network_address(int pidfd);

#endif
