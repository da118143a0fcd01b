/**
 * Published ports. A process of its own holds them on this machine and carries what comes to them into the container: so a
 * port that is taken is an error before anything runs, the loopback works like any other address, and an ordinary user
 * needs no rules. What comes from other machines to a bridge is turned by the firewall before it gets here (net_rules.h), so
 * that the container sees who speaks to it.
 */
#ifndef STRATA_NET_PORTS_H
#define STRATA_NET_PORTS_H
#include <sys/types.h>

#include "net_book.h"

struct ports {
  pid_t pid; /* 0: no port is published */
  int socket;
  struct bound *bound;
  int count;
};

/** Binds all of them; the first that is taken is the error. Nothing is carried yet. */
int ports_bind(struct ports *p, const struct network_spec *s, struct err *e);

/** From now on: to `address`, in the namespaces of the process behind `pidfd` where it is not -1. */
int ports_carry(struct ports *p, uint32_t address, int pidfd, struct err *e);

void ports_end(struct ports *p);

#endif
