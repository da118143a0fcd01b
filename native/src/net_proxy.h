/**
 * Carries connections and datagrams. One loop over epoll; at most so many connections and so many senders of datagrams at
 * once: who comes later waits in the kernel's queue, of datagrams the sender that was silent the longest is forgotten.
 */
#ifndef STRATA_NET_PROXY_H
#define STRATA_NET_PROXY_H
#include "net_spec.h"

enum { CONNECTIONS_MOST = 512, SENDERS_MOST = 256, SENDER_SECONDS = 90 };

/** `fds` are the bound sockets of `s->ports`, -1 where there is none. Comes back when nothing can be done any more. */
int proxy_main(const struct network_spec *s, const int *fds, uint32_t address);

#endif
