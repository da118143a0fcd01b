/**
 * `strata.network` of config.json: which network a container is to have besides its own loopback. Names in it are letters,
 * digits, '.', '_' and '-', so that they can stand in a hosts file as they are.
 */
#ifndef STRATA_NET_SPEC_H
#define STRATA_NET_SPEC_H
#include <stdint.h>

#include "pick.h"

enum { MAX_PORTS = 1024 };
enum network_kind { NETWORK_OTHER, NETWORK_BRIDGE, NETWORK_PASTA, NETWORK_SLIRP, NETWORK_CONTAINER };

struct port_spec {
  const char *address; /* of this machine; "0.0.0.0" and "::" are all of them */
  int64_t host, last;  /* the first free one from `host` to `last`; 0: any that is free */
  int64_t inside;
  bool udp;
  bool follows;        /* the same port as the one before it; that this machine has no such address is fine */
};

struct network_spec {
  enum network_kind kind;
  bool optional;             /* where it can not be had there is none, with a warning */
  const char *container;     /* the state directory of the one whose network is shared */
  const char *program;       /* pasta's or slirp4netns's path */
  const char *hosts;         /* the file that is its /etc/hosts */
  struct list own;           /* what its own address is called in there: by itself */
  struct list names;         /* and by the others of its bridge */
  struct list gateway;       /* names of this machine */
  struct port_spec ports[MAX_PORTS];
  int port_count;
};

/** Reads the object `network` of `strata`, of which the memory is the caller's: NULL where there is none. */
int net_spec_read(struct network_spec **to, const struct pick *strata);
void net_spec_free(struct network_spec *s);

#endif
