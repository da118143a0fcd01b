/** Which of the kinds does what, in which order, and what is told of it. */
#include "network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "net_bridge.h"
#include "net_hosts.h"

static const char *dotted(uint32_t address, char text[16]) {
  snprintf(text, 16, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
  return text;
}

static int tell(const struct network *n, const char *kind, const struct place *p, int prefix, int home, struct err *e) {
  struct out o = {0};
  char text[24];
  if (home < 0) return 0;
  out_open(&o, '{');
  out_text(&o, "kind", kind);
  out_text(&o, "address", p->address == 0 ? NULL : dotted(p->address, text));
  out_number(&o, "prefix", prefix);
  out_text(&o, "gateway", p->gateway == 0 ? NULL : dotted(p->gateway, text));
  snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", p->mac[0], p->mac[1], p->mac[2], p->mac[3], p->mac[4], p->mac[5]);
  out_text(&o, "mac", p->mac[0] == 0 ? NULL : text);
  out_text(&o, "link", p->link[0] == 0 ? NULL : p->link);
  out_key(&o, "ports");
  out_open(&o, '[');
  for (int i = 0; i < n->ports.count; i++) {
    out_open(&o, '{');
    out_text(&o, "address", n->ports.bound[i].address);
    out_number(&o, "host", n->ports.bound[i].host);
    out_number(&o, "inside", n->ports.bound[i].inside);
    out_bool(&o, "udp", n->ports.bound[i].udp);
    out_close(&o, '}');
  }
  out_close(&o, ']');
  out_close(&o, '}');
  return file_replace(home, "network", &o, false, e);
}

static int join_bridge(struct network *n, const struct network_spec *s, pid_t pid, int home, struct err *e) {
  struct place p;
  if (geteuid() != 0) return err_set(e, 0, "a bridge can be had by root only");
  if (bridge_join(&p, s, pid, n->ports.bound, n->ports.count, e) < 0) return -1;
  n->kind = NETWORK_BRIDGE;
  n->number = p.number;
  return ports_carry(&n->ports, p.address, -1, e) < 0 ? -1 : tell(n, "bridge", &p, BOOK_PREFIX, home, e);
}

static int join_user(struct network *n, const struct network_spec *s, pid_t pid, int pidfd, int home, struct err *e) {
  bool slirp = s->kind == NETWORK_SLIRP;
  if (user_network_begin(&n->user, s, pid, e) < 0) return -1;
  n->kind = s->kind;
  struct place p = {.address = slirp ? ntohl(inet_addr("10.0.2.100")) : user_network_address(pidfd), .gateway = slirp ? ntohl(inet_addr("10.0.2.2")) : 0};
  hosts_write_one(s, p.address, p.gateway);
  if (n->ports.pid > 0 && p.address == 0) return err_set(e, 0, "the container has no address: no port can be published");
  return ports_carry(&n->ports, p.address, pidfd, e) < 0 ? -1 : tell(n, slirp ? "slirp4netns" : "pasta", &p, slirp ? 24 : 0, home, e);
}

int network_up(struct network *n, const struct network_spec *s, pid_t pid, int pidfd, int home, struct err *warning, struct err *e) {
  *n = (struct network){.ports.socket = -1, .user.errors = -1};
  if (s == NULL || s->kind == NETWORK_CONTAINER) return 0;
  if (ports_bind(&n->ports, s, e) == 0 && (s->kind == NETWORK_BRIDGE ? join_bridge(n, s, pid, home, e) : join_user(n, s, pid, pidfd, home, e)) == 0) return 0;
  network_down(n);
  if (!s->optional) return err_in(e, "network");
  if (warning->text[0] == 0) err_set(warning, 0, "no network: %.900s", e->text);
  else err_in(warning, "no network: %.400s", e->text);
  *e = (struct err){.status = e->status};
  return 0;
}

void network_close(struct network *n) { ports_end(&n->ports); }

void network_down(struct network *n) {
  network_close(n);
  if (n->kind == NETWORK_BRIDGE) bridge_leave(n->number);
  user_network_end(&n->user);
  n->kind = NETWORK_OTHER;
}

void network_sweep(void) {
  if (geteuid() == 0 && book_exists()) bridge_sweep();
}
