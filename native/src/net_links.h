/**
 * Links, addresses and routes, by rtnetlink. What is ours has its name and lies in our group of links, so that nothing else
 * is ever touched. Addresses are numbers in the host's order.
 */
#ifndef STRATA_NET_LINKS_H
#define STRATA_NET_LINKS_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

#define BRIDGE "strata0"
enum { LINK_NAME = 16, ROUTES_MOST = 4096 };

struct link {
  int index; /* 0: there is none */
  char name[LINK_NAME], kind[16];
  uint32_t group, mtu;
};

struct route {
  uint32_t network;
  int prefix, link;
};

struct routes {
  struct route all[ROUTES_MOST];
  int count;
  bool more; /* than there is room for */
};

/** Whether a link carries our mark. */
bool link_ours(const struct link *l);

/** `found.index` is 0 when there is no link of this name, or this index where `name` is NULL. */
int link_find(int nl, const char *name, int index, struct link *found, struct err *e);

/** Every link of this namespace. */
typedef void link_each(void *argument, const struct link *l);
int link_all(int nl, link_each *each, void *argument, struct err *e);

/** The routes of IPv4, the default ones (prefix 0) too. */
int link_routes(int nl, struct routes *to, struct err *e);

/** The first address of a link and its prefix; 0 when it has none. */
int link_address(int nl, int index, uint32_t *address, int *prefix, struct err *e);

/** The bridge, without an address of IPv4. Its own stays what it is: of itself it would be that of some port. Gives its index. */
int link_make_bridge(int nl, const uint8_t mac[6], struct err *e);

/** A pair: `name` here, a port of the bridge and up; `eth0` in the namespace behind `space`. */
int link_make_pair(int nl, const char *name, int bridge, int space, const uint8_t mac[6], uint32_t mtu, struct err *e);

int link_add_address(int nl, int index, uint32_t address, int prefix, struct err *e);
int link_up(int nl, int index, struct err *e);
int link_default_route(int nl, uint32_t gateway, struct err *e);

/** All that is ours in one step. */
int link_remove_all(int nl, struct err *e);

#endif
