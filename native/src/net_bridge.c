/** Everything here happens under the lock of the book. */
#include "net_bridge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_hosts.h"
#include "net_links.h"
#include "net_rules.h"
#include "netlink.h"
#include "own.h"

static const uint32_t size = (uint32_t)1 << (32 - BOOK_PREFIX);

static void name_of(int number, char name[16]) { snprintf(name, 16, BRIDGE "-%d", number); }

static void write_setting(const char *path, const char *value) {
  OWN_FD fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd >= 0 && write(fd, value, strlen(value)) < 0) return; /* a kernel without IPv6 has none */
}

/** Where names are asked must stay in reach, also where only the default route leads there. */
static void add_name_servers(struct routes *to) {
  FILE *file = fopen("/etc/resolv.conf", "re");
  char line[256], word[64];
  struct in_addr four;
  while (file != NULL && fgets(line, sizeof line, file) != NULL && to->count < ROUTES_MOST)
    if (sscanf(line, " nameserver %63s", word) == 1 && inet_pton(AF_INET, word, &four) == 1)
      to->all[to->count++] = (struct route){.network = ntohl(four.s_addr), .prefix = 32};
  if (file != NULL) fclose(file);
}

static bool is_free(const struct routes *taken, uint32_t network) {
  for (int i = 0; i < taken->count; i++) {
    const struct route *r = &taken->all[i];
    if (r->prefix == 0) continue;
    uint64_t length = (uint64_t)1 << (32 - r->prefix);
    if (network < r->network + length && r->network < (uint64_t)network + size) return false;
  }
  return true;
}

/** The first network of ours that no route of this machine leads to; 0 when each of them is taken. */
static uint32_t free_network(const struct routes *taken) {
  static const struct { uint32_t first, last; } pools[] = {
      {0x0a5b0000 /* 10.91.0.0 */, 0x0a7ffc00}, {0xac1e0000 /* 172.30.0.0 */, 0xac1ffc00}, {0xc0a88000 /* 192.168.128.0 */, 0xc0a8fc00}};
  for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
    for (uint32_t network = pools[i].first; network <= pools[i].last; network += size)
      if (is_free(taken, network)) return network;
  return 0;
}

/** Whoever has an address again has its hardware's again too: nobody has to forget it. */
static void mac_of(uint32_t address, uint8_t mac[6]) {
  const uint8_t bytes[6] = {0x02, 0x53, (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address};
  memcpy(mac, bytes, sizeof bytes);
}

static int make_bridge(struct book *b, const struct routes *routes, int index, struct err *e) {
  uint32_t network = free_network(routes);
  if (network == 0) return err_set(e, 0, "no network is free for the bridge: routes lead to all of 10.91.0.0/10.127, 172.30.0.0/15, 192.168.128.0/17");
  uint8_t mac[6];
  mac_of(network + 1, mac);
  if (index == 0) index = link_make_bridge(b->nl, mac, e);
  if (index < 0) return -1;
  write_setting("/proc/sys/net/ipv6/conf/" BRIDGE "/disable_ipv6", "1");
  if (link_add_address(b->nl, index, network + 1, BOOK_PREFIX, e) < 0 || link_up(b->nl, index, e) < 0) return -1;
  b->address = network + 1;
  return index;
}

/** Gives its index. */
static int find_or_make(struct book *b, const struct routes *routes, struct err *e) {
  struct link bridge;
  int prefix = 0;
  if (link_find(b->nl, BRIDGE, 0, &bridge, e) < 0) return -1;
  if (bridge.index != 0 && (!link_ours(&bridge) || strcmp(bridge.kind, "bridge") != 0))
    return err_set(e, 0, "a link %s is on this machine that is not ours", BRIDGE);
  if (bridge.index != 0 && link_address(b->nl, bridge.index, &b->address, &prefix, e) < 0) return -1;
  if (b->address != 0 && prefix != BOOK_PREFIX) return err_set(e, 0, "the bridge %s has an address that is not ours", BRIDGE);
  return b->address != 0 ? bridge.index : make_bridge(b, routes, bridge.index, e);
}

/** Packets no larger than what leaves this machine. */
static uint32_t mtu_of(const struct book *b, const struct routes *routes) {
  struct link way = {.mtu = 1500};
  struct err ignored;
  for (int i = 0; i < routes->count && way.index == 0; i++)
    if (routes->all[i].prefix == 0) way.index = routes->all[i].link;
  if (way.index != 0) link_find(b->nl, NULL, way.index, &way, &ignored);
  return way.mtu < 576 || way.mtu > 9000 ? 1500 : way.mtu;
}

/** A socket of the container's network, and what of the kernel is to be set in there. */
static int open_inside(int space, struct err *e) {
  OWN_FD ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (ours < 0 || setns(space, CLONE_NEWNET) < 0) return err_set(e, errno, "enter the container's network");
  write_setting("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"); /* our bridge has no IPv6 */
  OWN_FD nl = nl_open(NL_ROUTE);
  int number = errno;
  if (setns(ours, CLONE_NEWNET) < 0) return err_set(e, errno, "leave the container's network");
  return nl < 0 ? err_set(e, number, "open a netlink socket") : own_give(&nl);
}

static int furnish(const struct book *b, const struct place *p, int bridge, uint32_t mtu, pid_t pid, struct err *e) {
  char path[40];
  struct link inside;
  snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
  OWN_FD space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0) return err_set(e, errno, "open %s", path);
  OWN_FD nl = open_inside(space, e);
  if (nl < 0 || link_make_pair(b->nl, p->link, bridge, space, p->mac, mtu, e) < 0 || link_find(nl, "eth0", 0, &inside, e) < 0) return -1;
  if (link_add_address(nl, inside.index, p->address, BOOK_PREFIX, e) < 0 || link_up(nl, inside.index, e) < 0) return -1;
  return link_default_route(nl, p->gateway, e);
}

/** After whoever came or went. */
static int settle(struct book *b, struct err *e) {
  struct err ignored;
  if (b->count > 0) {
    if (rules_write(b, e) < 0 || forward_begin(b, e) < 0) return -1;
    hosts_write_all(b);
    return 0;
  }
  rules_remove(b);
  link_remove_all(b->nl, &ignored);
  forward_end(b);
  book_burn(b);
  return 0;
}

static void hear_link(void *argument, const struct link *l) {
  bool *taken = argument;
  char *end;
  if (strncmp(l->name, BRIDGE "-", strlen(BRIDGE) + 1) != 0) return;
  long number = strtol(l->name + strlen(BRIDGE) + 1, &end, 10);
  if (*end == 0 && number > 0 && number <= BOOK_MOST) taken[number] = true;
}

/**
 * The first number that nobody has, 0 when all are taken. A link ends with the network namespace that it leads to: a while
 * after the container, or with the last that shares its network. Until then its number is not given again.
 */
static int free_number(const struct book *b) {
  bool taken[BOOK_MOST + 1] = {false};
  struct err ignored;
  link_all(b->nl, hear_link, taken, &ignored);
  for (int i = 0; i < b->count; i++) taken[b->entries[i].number] = true;
  for (int number = 2; number <= BOOK_MOST; number++)
    if (!taken[number]) return number;
  return 0;
}

/** Entries without a container. */
static void sweep(struct book *b) {
  for (int i = b->count - 1; i >= 0; i--)
    if (b->entries[i].process.pid <= 0 || !process_alive(&b->entries[i].process)) book_drop(b, i);
}

static void learn_address(struct book *b) {
  struct link bridge;
  struct err ignored;
  int prefix;
  if (link_find(b->nl, BRIDGE, 0, &bridge, &ignored) == 0 && bridge.index != 0) link_address(b->nl, bridge.index, &b->address, &prefix, &ignored);
}

static int join(struct book *b, struct place *to, const struct network_spec *s, pid_t pid, const struct bound *ports, int count, struct err *e) {
  static struct routes routes;
  struct process process;
  sweep(b);
  if (link_routes(b->nl, &routes, e) < 0) return -1;
  add_name_servers(&routes);
  int bridge = find_or_make(b, &routes, e);
  if (bridge < 0) return -1;
  *to = (struct place){.number = free_number(b), .gateway = b->address};
  if (to->number == 0) return err_set(e, 0, "the bridge %s is full: it takes %d containers", BRIDGE, BOOK_MOST - 1);
  to->address = b->address - 1 + (uint32_t)to->number;
  mac_of(to->address, to->mac);
  name_of(to->number, to->link);
  if (!process_of(pid, &process)) return err_set(e, ESRCH, "the container");
  if (book_add(b, to->number, s, &process, ports, count, e) < 0) return -1;
  return furnish(b, to, bridge, mtu_of(b, &routes), pid, e) < 0 ? -1 : settle(b, e);
}

static void leave(struct book *b, int number) {
  struct err ignored;
  for (int i = 0; i < b->count; i++)
    if (b->entries[i].number == number) book_drop(b, i--);
  sweep(b);
  learn_address(b);
  settle(b, &ignored);
}

int bridge_join(struct place *to, const struct network_spec *s, pid_t pid, const struct bound *ports, int count, struct err *e) {
  struct book b;
  *to = (struct place){.number = 0};
  int result = book_open(&b, e) < 0 ? -1 : join(&b, to, s, pid, ports, count, e);
  if (result < 0 && b.nl >= 0) leave(&b, to->number);
  book_close(&b);
  return result;
}

void bridge_leave(int number) {
  struct book b;
  struct err ignored;
  if (book_open(&b, &ignored) == 0) leave(&b, number);
  book_close(&b);
}

void bridge_sweep(void) {
  struct book b;
  struct err ignored;
  if (book_open(&b, &ignored) == 0) leave(&b, 0);
  book_close(&b);
}
