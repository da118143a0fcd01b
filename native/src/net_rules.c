/** The texts for nft and iptables-restore; what was said last stands in the book. */
#include "net_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "net_links.h"
#include "net_tool.h"
#include "netlink.h"
#include "own.h"

enum { TABLES = 10 << 8, GETTABLE = TABLES | 1, DELTABLE = TABLES | 2, GETCHAIN = TABLES | 4, TABLE_NAME = 1, CHAIN_TABLE = 1, CHAIN_NAME = 3, CHAIN_POLICY = 5 };
enum { MAX_RULES = 4 << 20 };

static const uint8_t of_ipv4[4] = {2, 0, 0, 0};

static void hear_policy(void *argument, uint16_t type, const char *bytes, size_t length) {
  size_t size = 0;
  const char *policy = nl_find(bytes, length, sizeof of_ipv4, CHAIN_POLICY, &size);
  uint32_t number = 1;
  (void)type;
  if (policy != NULL && size >= sizeof number) memcpy(&number, policy, sizeof number);
  if (policy != NULL && number == 0) *(bool *)argument = true;
}

/** Whether iptables drops what it does not know: its chain of nf_tables does, or the old kind is in use, of which nothing is told. */
static bool forward_drops(void) {
  char names[256] = "";
  OWN_FD old = open("/proc/net/ip_tables_names", O_RDONLY | O_CLOEXEC);
  if (old >= 0 && read(old, names, sizeof names - 1) > 0 && strstr(names, "filter") != NULL) return true;
  OWN_FD nl = nl_open(NL_FILTER);
  struct nl_message m;
  bool drops = false;
  if (nl < 0) return false;
  nl_begin(&m, GETCHAIN, 0, of_ipv4, sizeof of_ipv4);
  nl_put_text(&m, CHAIN_TABLE, "filter");
  nl_put_text(&m, CHAIN_NAME, "FORWARD");
  nl_ask(nl, &m, hear_policy, &drops);
  return drops;
}

static bool table_there(void) {
  OWN_FD nl = nl_open(NL_FILTER);
  struct nl_message m;
  nl_begin(&m, GETTABLE, 0, of_ipv4, sizeof of_ipv4);
  nl_put_text(&m, TABLE_NAME, "strata");
  return nl >= 0 && nl_do(nl, &m) == 0;
}

const char *rules_tool(void) {
  char path[64];
  bool nft = tool_find("nft", path) != NULL, iptables = tool_find("iptables-restore", path) != NULL;
  if (nft && !(iptables && forward_drops())) return "nft";
  return iptables ? "iptables" : nft ? "nft" : NULL;
}

static const char *dotted(uint32_t address, char text[16]) {
  snprintf(text, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
  return text;
}

/** Ports of an address that others can reach; those of IPv6 and of the loopback are the proxy's alone. */
static void write_ports(FILE *to, const struct book *b, bool nft) {
  uint32_t network = b->address & ~(((uint32_t)1 << (32 - BOOK_PREFIX)) - 1);
  for (int i = 0; i < b->count; i++) {
    const struct entry *x = &b->entries[i];
    for (const struct json *m = x->ports == NULL ? NULL : json_first(&x->document, x->ports); m != NULL; m = json_next(&x->document, m)) {
      struct err ignored;
      struct pick p = {.d = &x->document, .object = m, .name = "ports[]", .e = &ignored};
      const char *address = "";
      int64_t host = 0, inside = 0;
      bool udp = false;
      struct in_addr four;
      char inner[16], outer[64];
      if (pick_text(&p, "address", &address) < 0 || pick_integer(&p, "host", 1, 65535, &host) < 0 || pick_integer(&p, "inside", 1, 65535, &inside) < 0 ||
          pick_bool(&p, "udp", &udp) < 0 || inet_pton(AF_INET, address, &four) != 1 || ntohl(four.s_addr) >> 24 == 127)
        continue;
      dotted(network + (uint32_t)x->number, inner);
      if (four.s_addr == 0) snprintf(outer, sizeof outer, "%s", nft ? "fib daddr type local" : "-m addrtype --dst-type LOCAL");
      else snprintf(outer, sizeof outer, "%s %s", nft ? "ip daddr" : "-d", address);
      if (nft) fprintf(to, "    iifname != \"" BRIDGE "\" %s %s dport %d dnat to %s:%d\n", outer, udp ? "udp" : "tcp", (int)host, inner, (int)inside);
      else fprintf(to, "-A STRATA-PRE ! -i " BRIDGE " -p %s --dport %d %s -j DNAT --to-destination %s:%d\n", udp ? "udp" : "tcp", (int)host, outer, inner, (int)inside);
    }
  }
}

static void write_nft(FILE *to, const struct book *b) {
  char network[16];
  dotted(b->address & ~(((uint32_t)1 << (32 - BOOK_PREFIX)) - 1), network);
  fprintf(to,
          "add table ip strata\ndelete table ip strata\ntable ip strata {\n  chain prerouting {\n"
          "    type nat hook prerouting priority -100; policy accept;\n");
  write_ports(to, b, true);
  fprintf(to,
          "  }\n  chain postrouting {\n    type nat hook postrouting priority 100; policy accept;\n"
          "    ip saddr %s/%d oifname != \"" BRIDGE "\" masquerade\n  }\n"
          "  chain forward {\n    type filter hook forward priority 0; policy accept;\n"
          "    oifname != \"" BRIDGE "\" accept\n    iifname \"" BRIDGE "\" accept\n    ct state established,related accept\n"
          "    ct status dnat accept\n    drop\n  }\n}\n",
          network, BOOK_PREFIX);
}

/** Naming a chain empties it. `first`: the jumps are not there yet. */
static void write_iptables(FILE *to, const struct book *b, bool first) {
  char network[16];
  dotted(b->address & ~(((uint32_t)1 << (32 - BOOK_PREFIX)) - 1), network);
  fprintf(to, "*nat\n:STRATA-PRE - [0:0]\n:STRATA-POST - [0:0]\n");
  write_ports(to, b, false);
  fprintf(to, "-A STRATA-POST -s %s/%d ! -o " BRIDGE " -j MASQUERADE\n", network, BOOK_PREFIX);
  if (first) fprintf(to, "-A PREROUTING -j STRATA-PRE\n-A POSTROUTING -j STRATA-POST\n");
  fprintf(to,
          "COMMIT\n*filter\n:STRATA-FORWARD - [0:0]\n-A STRATA-FORWARD -i " BRIDGE " -j ACCEPT\n"
          "-A STRATA-FORWARD -o " BRIDGE " -m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT\n"
          "-A STRATA-FORWARD -o " BRIDGE " -j DROP\n%sCOMMIT\n",
          first ? "-I FORWARD -j STRATA-FORWARD\n" : "");
}

static void remove_nft(void) {
  OWN_FD nl = nl_open(NL_FILTER);
  struct nl_message m;
  nl_begin(&m, DELTABLE, 0, of_ipv4, sizeof of_ipv4);
  nl_put_text(&m, TABLE_NAME, "strata");
  if (nl >= 0) nl_batch(nl, &m);
}

static int restore(const char *text, struct err *e) {
  char path[64];
  static const char *const argv[] = {"iptables-restore", "--noflush", "-w", "10", NULL};
  if (tool_find("iptables-restore", path) == NULL) return err_set(e, 0, "iptables-restore is not installed");
  return tool_run(path, argv, text, e);
}

/** Each by itself where somebody took one away: the others go all the same. */
static void remove_iptables(void) {
  static const char *const all = "*nat\n-D PREROUTING -j STRATA-PRE\n-D POSTROUTING -j STRATA-POST\n-F STRATA-PRE\n-F STRATA-POST\n-X STRATA-PRE\n"
                                 "-X STRATA-POST\nCOMMIT\n*filter\n-D FORWARD -j STRATA-FORWARD\n-F STRATA-FORWARD\n-X STRATA-FORWARD\nCOMMIT\n";
  static const char *const each[] = {"*nat\n-D PREROUTING -j STRATA-PRE\nCOMMIT\n", "*nat\n-D POSTROUTING -j STRATA-POST\nCOMMIT\n",
                                     "*nat\n-F STRATA-PRE\n-X STRATA-PRE\nCOMMIT\n", "*nat\n-F STRATA-POST\n-X STRATA-POST\nCOMMIT\n",
                                     "*filter\n-D FORWARD -j STRATA-FORWARD\nCOMMIT\n", "*filter\n-F STRATA-FORWARD\n-X STRATA-FORWARD\nCOMMIT\n"};
  struct err ignored;
  if (restore(all, &ignored) == 0) return;
  for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) restore(each[i], &ignored);
}

void rules_remove(const struct book *b) {
  size_t length;
  OWN_MEMORY char *last = file_read(b->dir, "rules", MAX_RULES, &length);
  if (last == NULL) return;
  if (last[0] == 'a') remove_nft();
  else remove_iptables();
  unlinkat(b->dir, "rules", 0);
}

static char *text_of(const struct book *b, bool nft, bool first) {
  char *text = NULL;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  if (to == NULL) return NULL;
  if (nft) write_nft(to, b);
  else write_iptables(to, b, first);
  return fclose(to) == 0 ? text : NULL;
}

int rules_write(const struct book *b, struct err *e) {
  static const char *const argv[] = {"nft", "-f", "-", NULL};
  char path[64];
  size_t length;
  const char *tool = rules_tool();
  if (tool == NULL) return err_set(e, 0, "neither nft nor iptables is installed: no way out of the bridge can be made");
  bool nft = tool[0] == 'n';
  OWN_MEMORY char *last = file_read(b->dir, "rules", MAX_RULES, &length), *lasting = text_of(b, nft, false);
  if (lasting == NULL) return err_set(e, ENOMEM, "rules of the firewall");
  if (last != NULL && strcmp(last, lasting) == 0 && (!nft || table_there())) return 0;
  bool first = last == NULL || (last[0] == 'a') != nft;
  if (last != NULL && first) rules_remove(b);
  /* Before the rules: whatever becomes of us, it is known that they may be there. */
  if (file_copy(b->dir, "rules", lasting, strlen(lasting), e) < 0) return -1;
  if (nft) return tool_find("nft", path) == NULL ? -1 : tool_run(path, argv, lasting, e);
  OWN_MEMORY char *text = text_of(b, nft, first);
  return text == NULL ? err_set(e, ENOMEM, "rules of the firewall") : restore(text, e);
}

static const char forward[] = "/proc/sys/net/ipv4/ip_forward";

static int forwards(void) {
  char digit = '1';
  OWN_FD fd = open(forward, O_RDONLY | O_CLOEXEC);
  return fd >= 0 && read(fd, &digit, 1) == 1 ? digit == '1' : -1;
}

int forward_begin(const struct book *b, struct err *e) {
  if (forwards() == 1) return 0;
  if (file_copy(b->dir, "forward", "0", 1, e) < 0) return -1;
  OWN_FD fd = open(forward, O_WRONLY | O_CLOEXEC);
  return fd < 0 || write(fd, "1", 1) != 1 ? err_set(e, errno, "write %s", forward) : 0;
}

static void hear_bridge(void *argument, const struct link *l) {
  if (strcmp(l->kind, "bridge") == 0 && !link_ours(l)) *(bool *)argument = true;
}

void forward_end(const struct book *b) {
  struct err ignored;
  bool others = false;
  if (faccessat(b->dir, "forward", F_OK, 0) < 0) return;
  link_all(b->nl, hear_bridge, &others, &ignored);
  OWN_FD fd = others ? -1 : open(forward, O_WRONLY | O_CLOEXEC);
  if (fd >= 0 && write(fd, "0", 1) != 1) return;
  unlinkat(b->dir, "forward", 0);
}
