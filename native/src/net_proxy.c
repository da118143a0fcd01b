/** The loop, and connections; datagrams are net_datagrams.c's. */
#include "net_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_carried.h"

enum { PIECE = 32 << 10 };

/** What one end has said and the other has not taken yet. */
struct half {
  char *bytes;
  size_t at, length;
  bool ended;  /* it says no more */
  bool closed; /* and the other one was told so */
};

struct connection {
  struct end ends[2]; /* 0: who came, 1: the container */
  struct half from[2];
  bool connecting, dead;
  struct connection *next; /* of those that are to be freed */
};

static int count;
static struct connection *buried;

static void kill_connection(struct connection *c, bool refused) {
  if (c->dead) return;
  struct linger now = {.l_onoff = 1};
  if (refused) setsockopt(c->ends[0].fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  c->dead = true;
  for (int i = 0; i < 2; i++) close(c->ends[i].fd);
  c->next = buried; /* events of it may lie in the batch that is being served */
  buried = c;
}

static void free_buried(void) {
  while (buried != NULL) {
    struct connection *c = buried;
    buried = c->next;
    free(c->from[0].bytes);
    free(c->from[1].bytes);
    free(c);
    count--;
  }
}

/** What is waited for at an end; nothing: then it is not asked at all, or a hang-up would be told for ever. */
static void watch(struct carrier *k, struct connection *c, int i) {
  uint32_t events = 0;
  if (!c->connecting && !c->from[i].ended && c->from[i].length == 0) events |= EPOLLIN;
  if ((i == 1 && c->connecting) || c->from[1 - i].length > 0) events |= EPOLLOUT;
  carrier_watch(k, &c->ends[i], events);
}

static void settle(struct carrier *k, struct connection *c) {
  for (int i = 0; i < 2; i++) {
    struct half *h = &c->from[i];
    if (!c->connecting && h->ended && h->length == 0 && !h->closed) {
      h->closed = true;
      shutdown(c->ends[1 - i].fd, SHUT_WR);
    }
  }
  if (c->from[0].closed && c->from[1].closed) return kill_connection(c, false);
  for (int i = 0; i < 2; i++) watch(k, c, i);
}

/** False when the connection is broken. */
static bool take(struct connection *c, int i) {
  struct half *h = &c->from[i];
  ssize_t got = recv(c->ends[i].fd, h->bytes, PIECE, 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  h->at = 0;
  h->length = (size_t)got;
  h->ended = got == 0;
  return true;
}

static bool give(struct connection *c, int i) {
  struct half *h = &c->from[1 - i];
  ssize_t sent = send(c->ends[i].fd, h->bytes + h->at, h->length, MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  h->at += (size_t)sent;
  h->length -= (size_t)sent;
  return true;
}

void connection_serve(struct carrier *k, struct end *end, uint32_t events) {
  struct connection *c = end->owner;
  if (c->dead) return;
  int i = end == &c->ends[1], error = 0;
  socklen_t size = sizeof error;
  if (c->connecting && i == 1) {
    if (getsockopt(end->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0) return kill_connection(c, true);
    c->connecting = false;
  }
  bool fine = (events & EPOLLERR) == 0;
  if (fine && c->from[1 - i].length > 0) fine = give(c, i);
  if (fine && !c->connecting && !c->from[i].ended && c->from[i].length == 0 && (events & (EPOLLIN | EPOLLHUP))) {
    fine = take(c, i);
    if (fine && c->from[i].length > 0) fine = give(c, 1 - i); /* mostly it is taken at once */
  }
  if (!fine) return kill_connection(c, true);
  settle(k, c);
}

static void begin(struct carrier *k, int client, uint16_t port) {
  int on = 1;
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(k->address)};
  struct connection *c = calloc(1, sizeof *c);
  int inner = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (c != NULL) c->from[0].bytes = malloc(PIECE), c->from[1].bytes = malloc(PIECE);
  if (c == NULL || inner < 0 || c->from[0].bytes == NULL || c->from[1].bytes == NULL) {
    if (c != NULL) free(c->from[0].bytes), free(c->from[1].bytes);
    free(c);
    if (inner >= 0) close(inner);
    close(client);
    return;
  }
  count++;
  const int fds[2] = {client, inner};
  for (int i = 0; i < 2; i++) {
    c->ends[i] = (struct end){.kind = END_CONNECTION, .fd = fds[i], .owner = c};
    setsockopt(fds[i], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fds[i], IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
  }
  c->connecting = true;
  if (connect(inner, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) return kill_connection(c, true);
  settle(k, c);
}

static void accept_some(struct carrier *k, struct end *listener) {
  while (count < CONNECTIONS_MOST) {
    int client = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    begin(k, client, listener->inside);
  }
}

void carrier_watch(struct carrier *k, struct end *end, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = end};
  if (events == end->events) return;
  int how = end->events == 0 ? EPOLL_CTL_ADD : events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  if (epoll_ctl(k->epoll, how, end->fd, &event) == 0) end->events = events;
}

static void serve(struct carrier *k, struct end *end, uint32_t events) {
  if (end->kind == END_LISTENER) accept_some(k, end);
  else if (end->kind == END_CONNECTION) connection_serve(k, end, events);
  else datagrams_serve(k, end);
}

int proxy_main(const struct network_spec *s, const int *fds, uint32_t address) {
  static struct end listeners[MAX_PORTS];
  struct carrier k = {.epoll = epoll_create1(EPOLL_CLOEXEC), .address = address};
  if (k.epoll < 0) return 1;
  for (int i = 0; i < s->port_count; i++) {
    listeners[i] = (struct end){.kind = s->ports[i].udp ? END_DATAGRAMS : END_LISTENER, .fd = fds[i], .inside = (uint16_t)s->ports[i].inside};
    if (fds[i] >= 0) carrier_watch(&k, &listeners[i], EPOLLIN);
  }
  for (bool open = true;;) {
    struct epoll_event events[64];
    int got = epoll_wait(k.epoll, events, 64, datagrams_patience());
    if (got < 0 && errno != EINTR) return 1;
    for (int i = 0; i < got; i++) serve(&k, events[i].data.ptr, events[i].events);
    free_buried();
    datagrams_forget();
    if (open == (count < CONNECTIONS_MOST)) continue;
    open = !open;
    for (int i = 0; i < s->port_count; i++)
      if (fds[i] >= 0 && listeners[i].kind == END_LISTENER) carrier_watch(&k, &listeners[i], open ? EPOLLIN : 0);
  }
}
