/** `--network container:NAME`: a container that is born in another one's network. */
#ifndef STRATA_NET_SHARE_H
#define STRATA_NET_SHARE_H
#include <sys/types.h>

#include "net_spec.h"

/**
 * As spawn_namespaces, from inside of the network of the container whose state directory `s->container` is. An ordinary
 * user's networks belong to user namespaces: then the new process is born in that one's too, and CLONE_NEWUSER passed over.
 */
pid_t share_spawn(const struct network_spec *s, int flags, int *into, int *pidfd, struct err *e);

#endif
