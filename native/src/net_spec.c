/** Reads what net_spec.h names; every number and name is checked here and nowhere else. */
#include "net_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int read_kind(struct network_spec *s, const struct pick *p) {
  static const struct { const char *name; enum network_kind kind; } kinds[] = {
      {"bridge", NETWORK_BRIDGE}, {"pasta", NETWORK_PASTA}, {"slirp4netns", NETWORK_SLIRP}, {"container", NETWORK_CONTAINER}};
  const char *name = "";
  if (pick_text(p, "kind", &name) < 0) return -1;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kinds[i].name, name) == 0) s->kind = kinds[i].kind;
  return s->kind == NETWORK_OTHER ? err_set(p->e, 0, "config: no such strata.network as %.100s", name) : 0;
}

static int check_names(const struct list *l, const struct pick *p) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  for (uint32_t i = 0; i < l->count; i++)
    if (l->items[i][0] == 0 || l->items[i][strspn(l->items[i], letters)] != 0 || strlen(l->items[i]) > 255)
      return err_set(p->e, 0, "config: strata.network: %.100s is no host name", l->items[i]);
  return 0;
}

static int read_port(struct port_spec *to, const struct pick *p) {
  const char *protocol = "tcp";
  unsigned char address[16];
  *to = (struct port_spec){.address = "0.0.0.0", .last = -1};
  if (pick_text(p, "address", &to->address) < 0 || pick_integer(p, "host", 0, 65535, &to->host) < 0 || pick_integer(p, "last", 0, 65535, &to->last) < 0 ||
      pick_integer(p, "inside", 1, 65535, &to->inside) < 0 || pick_text(p, "protocol", &protocol) < 0 || pick_bool(p, "follows", &to->follows) < 0)
    return -1;
  to->udp = strcmp(protocol, "udp") == 0;
  if (to->last < to->host) to->last = to->host;
  if (to->inside == 0 || (!to->udp && strcmp(protocol, "tcp") != 0)) return err_set(p->e, 0, "config: strata.network.ports[]: tcp or udp, and a port inside");
  if (inet_pton(AF_INET, to->address, address) == 1 || inet_pton(AF_INET6, to->address, address) == 1) return 0;
  return err_set(p->e, 0, "config: strata.network.ports[]: %.100s is no address", to->address);
}

static int read_ports(struct network_spec *s, const struct pick *p) {
  const struct json *array;
  if (pick_array(p, "ports", &array) < 0) return -1;
  for (const struct json *m = array == NULL ? NULL : json_first(p->d, array); m != NULL; m = json_next(p->d, m)) {
    struct pick one = {.d = p->d, .object = m, .name = "strata.network.ports[]", .e = p->e};
    if (s->port_count == MAX_PORTS) return err_set(p->e, 0, "config: more than %d ports", MAX_PORTS);
    if (m->type != JSON_OBJECT) return err_set(p->e, 0, "config: strata.network.ports must be a list of objects");
    if (read_port(&s->ports[s->port_count++], &one) < 0) return -1;
  }
  return 0;
}

static int read_all(struct network_spec *s, const struct pick *p) {
  if (read_kind(s, p) < 0 || read_ports(s, p) < 0) return -1;
  if (pick_bool(p, "optional", &s->optional) < 0 || pick_text(p, "container", &s->container) < 0 || pick_text(p, "program", &s->program) < 0 ||
      pick_text(p, "hosts", &s->hosts) < 0 || pick_list(p, "own", &s->own) < 0 || pick_list(p, "names", &s->names) < 0 ||
      pick_list(p, "gateway", &s->gateway) < 0)
    return -1;
  if (s->kind == NETWORK_CONTAINER && s->container == NULL) return err_set(p->e, 0, "config: strata.network.container is missing");
  if ((s->kind == NETWORK_PASTA || s->kind == NETWORK_SLIRP) && (s->program == NULL || s->program[0] != '/'))
    return err_set(p->e, 0, "config: strata.network.program must be an absolute path");
  return check_names(&s->own, p) < 0 || check_names(&s->names, p) < 0 || check_names(&s->gateway, p) < 0 ? -1 : 0;
}

int net_spec_read(struct network_spec **to, const struct pick *strata) {
  struct pick p;
  *to = NULL;
  if (pick_object(strata, "network", "strata.network", &p) < 0) return -1;
  if (p.object == NULL) return 0;
  *to = calloc(1, sizeof **to);
  return *to == NULL ? err_set(strata->e, ENOMEM, "config") : read_all(*to, &p);
}

void net_spec_free(struct network_spec *s) {
  if (s == NULL) return;
  list_free(&s->own);
  list_free(&s->names);
  list_free(&s->gateway);
  free(s);
}
