/** What net_proxy.c and net_datagrams.c share: the loop, and what it watches. */
#ifndef STRATA_NET_CARRIED_H
#define STRATA_NET_CARRIED_H
#include <stdbool.h>
#include <stdint.h>

enum end_kind { END_LISTENER, END_CONNECTION, END_DATAGRAMS, END_SENDER };

struct end {
  enum end_kind kind;
  int fd;
  uint32_t events; /* that are waited for; 0: epoll does not have it */
  uint16_t inside; /* of a listener: the container's port */
  void *owner;
};

struct carrier {
  int epoll;
  uint32_t address; /* the container's */
};

void carrier_watch(struct carrier *k, struct end *end, uint32_t events);

void connection_serve(struct carrier *k, struct end *end, uint32_t events);

/** Datagrams at a bound port, or the container's answers to one sender. */
void datagrams_serve(struct carrier *k, struct end *end);

/** Milliseconds until a sender may be forgotten, -1 for none. */
int datagrams_patience(void);

/** Those that were silent for too long; after a batch of events, which may name them. */
void datagrams_forget(void);

#endif
