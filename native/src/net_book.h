/**
 * The book of a machine's bridge: who is on it. One directory for each network namespace, /run/strata/net-INODE-BOOT, because a
 * bridge is the machine's and not a state directory's; a lock that ends with its holder; one file a container, `c-NUMBER`,
 * where NUMBER is the host part of its address and of the name of its link.
 */
#ifndef STRATA_NET_BOOK_H
#define STRATA_NET_BOOK_H
#include "net_spec.h"
#include "process.h"

enum { BOOK_MOST = 1022 /* ports of a bridge, addresses of a /22 */, BOOK_PREFIX = 22 };

struct entry {
  int number;
  struct json_document document; /* the lists below lie in it */
  struct process process;        /* the container's first */
  const char *hosts;
  struct list own, names, gateway;
  const struct json *ports;      /* `{"address","host","inside","udp"}` each, or NULL */
};

struct book {
  int nl, dir, lock; /* each -1 when it is not open */
  char path[64];
  uint32_t address;  /* of the bridge; 0: there is none yet */
  struct entry *entries;
  int count;
};

/** A port as it was bound. */
struct bound {
  char address[40];
  uint16_t host, inside;
  bool udp;
};

/** Opens the book, waits for its lock, reads it. The caller ends with book_close, also after an error. */
int book_open(struct book *b, struct err *e);
void book_close(struct book *b);

/** Whether there is a book at all: nothing of ours is on this machine otherwise. */
bool book_exists(void);

/** Writes a new entry and reads it back into `entries`. */
int book_add(struct book *b, int number, const struct network_spec *s, const struct process *p, const struct bound *ports, int count, struct err *e);
void book_drop(struct book *b, int at);

/** Closes the book for good: nobody is in it. The lock stays ours until book_close. */
void book_burn(struct book *b);

#endif
