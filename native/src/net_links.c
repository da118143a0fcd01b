/** The messages of net_links.h. */
#include "net_links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "netlink.h"

enum { NEWLINK = 16, DELLINK = 17, GETLINK = 18, NEWADDR = 20, GETADDR = 22, NEWROUTE = 24, GETROUTE = 26 };
enum { LINK_ADDRESS = 1, LINK_IFNAME = 3, LINK_MTU = 4, LINK_MASTER = 10, LINK_INFO = 18, LINK_GROUP = 27, LINK_SPACE = 28, LINK_EXTENT = 29 };
enum { INFO_KIND = 1, INFO_DATA = 2, VETH_PEER = 1, ADDR_ADDRESS = 1, ADDR_LOCAL = 2, ADDR_BROADCAST = 4, ROUTE_DST = 1, ROUTE_OIF = 4, ROUTE_GATEWAY = 5 };
enum { IPV4 = 2, UP = 1, OUR_GROUP = 0x73747261 /* "stra" */ };

struct link_fixed {
  uint8_t family, pad;
  uint16_t type;
  int32_t index;
  uint32_t flags, change;
};
struct address_fixed {
  uint8_t family, prefix, flags, scope;
  uint32_t index;
};
struct route_fixed {
  uint8_t family, dst, src, tos, table, protocol, scope, type;
  uint32_t flags;
};

bool link_ours(const struct link *l) { return l->group == OUR_GROUP; }

static void text_of(char *to, size_t room, const char *from, size_t length) {
  size_t used = from == NULL ? 0 : strnlen(from, length < room - 1 ? length : room - 1);
  if (used > 0) memcpy(to, from, used);
  to[used] = 0;
}

static uint32_t number_of(const char *from, size_t length) {
  uint32_t number = 0;
  if (from != NULL && length >= sizeof number) memcpy(&number, from, sizeof number);
  return number;
}

struct listing {
  link_each *each;
  void *argument;
};

static void hear_link(void *argument, uint16_t type, const char *bytes, size_t length) {
  struct listing *to = argument;
  struct link_fixed fixed;
  struct link l;
  size_t size = 0;
  if (type != NEWLINK || length < sizeof fixed) return;
  memcpy(&fixed, bytes, sizeof fixed);
  l.index = fixed.index;
  const char *found = nl_find(bytes, length, sizeof fixed, LINK_IFNAME, &size);
  text_of(l.name, sizeof l.name, found, size);
  found = nl_find(bytes, length, sizeof fixed, LINK_GROUP, &size);
  l.group = number_of(found, size);
  found = nl_find(bytes, length, sizeof fixed, LINK_MTU, &size);
  l.mtu = number_of(found, size);
  const char *info = nl_find(bytes, length, sizeof fixed, LINK_INFO, &size);
  const char *kind = info == NULL ? NULL : nl_find(info, size, 0, INFO_KIND, &size);
  text_of(l.kind, sizeof l.kind, kind, size);
  to->each(to->argument, &l);
}

static void keep(void *argument, const struct link *l) { *(struct link *)argument = *l; }

int link_find(int nl, const char *name, int index, struct link *found, struct err *e) {
  struct nl_message m;
  struct link_fixed fixed = {.index = index};
  struct listing one = {keep, found};
  found->index = 0;
  nl_begin(&m, GETLINK, 0, &fixed, sizeof fixed);
  if (name != NULL) nl_put_text(&m, LINK_IFNAME, name);
  return nl_ask(nl, &m, hear_link, &one) < 0 && errno != ENODEV ? err_set(e, errno, "look for the link %s", name == NULL ? "by its number" : name) : 0;
}

int link_all(int nl, link_each *each, void *argument, struct err *e) {
  struct nl_message m;
  struct link_fixed fixed = {0};
  struct listing all = {each, argument};
  nl_begin(&m, GETLINK, NL_DUMP, &fixed, sizeof fixed);
  nl_put_u32(&m, LINK_EXTENT, 8 /* without statistics */);
  return nl_ask(nl, &m, hear_link, &all) < 0 ? err_set(e, errno, "list the links") : 0;
}

static void hear_route(void *argument, uint16_t type, const char *bytes, size_t length) {
  struct routes *to = argument;
  struct route_fixed fixed;
  size_t size = 0;
  if (type != NEWROUTE || length < sizeof fixed) return;
  memcpy(&fixed, bytes, sizeof fixed);
  to->more |= to->count == ROUTES_MOST;
  if (fixed.family != IPV4 || to->count == ROUTES_MOST) return;
  struct route *r = &to->all[to->count++];
  const char *found = nl_find(bytes, length, sizeof fixed, ROUTE_DST, &size);
  r->network = ntohl(number_of(found, size));
  r->prefix = fixed.dst;
  found = nl_find(bytes, length, sizeof fixed, ROUTE_OIF, &size);
  r->link = (int)number_of(found, size);
}

int link_routes(int nl, struct routes *to, struct err *e) {
  struct nl_message m;
  struct route_fixed fixed = {.family = IPV4};
  to->count = 0;
  to->more = false;
  nl_begin(&m, GETROUTE, NL_DUMP, &fixed, sizeof fixed);
  return nl_ask(nl, &m, hear_route, to) < 0 ? err_set(e, errno, "list the routes") : 0;
}

struct address_wanted {
  int index, prefix;
  uint32_t address;
};

static void hear_address(void *argument, uint16_t type, const char *bytes, size_t length) {
  struct address_wanted *to = argument;
  struct address_fixed fixed;
  size_t size = 0;
  if (type != NEWADDR || length < sizeof fixed) return;
  memcpy(&fixed, bytes, sizeof fixed);
  if (fixed.family != IPV4 || (int)fixed.index != to->index || to->address != 0) return;
  const char *found = nl_find(bytes, length, sizeof fixed, ADDR_LOCAL, &size);
  to->address = ntohl(number_of(found, size));
  to->prefix = fixed.prefix;
}

int link_address(int nl, int index, uint32_t *address, int *prefix, struct err *e) {
  struct nl_message m;
  struct address_fixed fixed = {.family = IPV4};
  struct address_wanted wanted = {.index = index};
  nl_begin(&m, GETADDR, NL_DUMP, &fixed, sizeof fixed);
  if (nl_ask(nl, &m, hear_address, &wanted) < 0) return err_set(e, errno, "list the addresses");
  *address = wanted.address;
  *prefix = wanted.prefix;
  return 0;
}

int link_make_bridge(int nl, const uint8_t mac[6], struct err *e) {
  struct nl_message m;
  struct link_fixed fixed = {0};
  struct link made;
  nl_begin(&m, NEWLINK, NL_MAKE | NL_EXCLUSIVE, &fixed, sizeof fixed);
  nl_put_text(&m, LINK_IFNAME, BRIDGE);
  nl_put(&m, LINK_ADDRESS, mac, 6);
  nl_put_u32(&m, LINK_GROUP, OUR_GROUP);
  size_t info = nl_nest(&m, LINK_INFO);
  nl_put_text(&m, INFO_KIND, "bridge");
  nl_end(&m, info);
  if (nl_do(nl, &m) < 0) return err_set(e, errno, "make the bridge %s", BRIDGE);
  return link_find(nl, BRIDGE, 0, &made, e) < 0 ? -1 : made.index;
}

int link_make_pair(int nl, const char *name, int bridge, int space, const uint8_t mac[6], uint32_t mtu, struct err *e) {
  struct nl_message m;
  struct link_fixed fixed = {.flags = UP, .change = UP}, peer = {0};
  nl_begin(&m, NEWLINK, NL_MAKE | NL_EXCLUSIVE, &fixed, sizeof fixed);
  nl_put_text(&m, LINK_IFNAME, name);
  nl_put_u32(&m, LINK_GROUP, OUR_GROUP);
  nl_put_u32(&m, LINK_MASTER, (uint32_t)bridge);
  nl_put_u32(&m, LINK_MTU, mtu);
  size_t info = nl_nest(&m, LINK_INFO);
  nl_put_text(&m, INFO_KIND, "veth");
  size_t data = nl_nest(&m, INFO_DATA), other = nl_nest(&m, VETH_PEER);
  nl_put_fixed(&m, &peer, sizeof peer);
  nl_put_text(&m, LINK_IFNAME, "eth0");
  nl_put(&m, LINK_ADDRESS, mac, 6);
  nl_put_u32(&m, LINK_MTU, mtu);
  nl_put_u32(&m, LINK_SPACE, (uint32_t)space);
  nl_end(&m, other);
  nl_end(&m, data);
  nl_end(&m, info);
  return nl_do(nl, &m) < 0 ? err_set(e, errno, "make the link %s", name) : 0;
}

int link_add_address(int nl, int index, uint32_t address, int prefix, struct err *e) {
  struct nl_message m;
  struct address_fixed fixed = {.family = IPV4, .prefix = (uint8_t)prefix, .index = (uint32_t)index};
  nl_begin(&m, NEWADDR, NL_MAKE | NL_EXCLUSIVE, &fixed, sizeof fixed);
  nl_put_u32(&m, ADDR_LOCAL, htonl(address));
  nl_put_u32(&m, ADDR_ADDRESS, htonl(address));
  nl_put_u32(&m, ADDR_BROADCAST, htonl(address | (prefix == 0 ? 0 : (uint32_t)(((uint64_t)1 << (32 - prefix)) - 1))));
  return nl_do(nl, &m) < 0 ? err_set(e, errno, "give a link its address") : 0;
}

int link_up(int nl, int index, struct err *e) {
  struct nl_message m;
  struct link_fixed fixed = {.index = index, .flags = UP, .change = UP};
  nl_begin(&m, NEWLINK, 0, &fixed, sizeof fixed);
  return nl_do(nl, &m) < 0 ? err_set(e, errno, "bring a link up") : 0;
}

int link_default_route(int nl, uint32_t gateway, struct err *e) {
  struct nl_message m;
  struct route_fixed fixed = {.family = IPV4, .table = 254 /* main */, .protocol = 3 /* boot */, .type = 1 /* unicast */};
  nl_begin(&m, NEWROUTE, NL_MAKE | NL_EXCLUSIVE, &fixed, sizeof fixed);
  nl_put_u32(&m, ROUTE_GATEWAY, htonl(gateway));
  return nl_do(nl, &m) < 0 ? err_set(e, errno, "add the default route") : 0;
}

int link_remove_all(int nl, struct err *e) {
  struct nl_message m;
  struct link_fixed fixed = {0};
  nl_begin(&m, DELLINK, 0, &fixed, sizeof fixed);
  nl_put_u32(&m, LINK_GROUP, OUR_GROUP);
  return nl_do(nl, &m) < 0 && errno != ENODEV ? err_set(e, errno, "remove our links") : 0;
}
