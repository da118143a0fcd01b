/** Each sender has a socket of its own towards the container: its answers come back there. */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net_carried.h"
#include "net_proxy.h"

enum { DATAGRAM = 65536, IN_A_ROW = 64 };

struct sender {
  struct end end;          /* towards the container; its fd is -1 where the place is free */
  struct end *listener;
  struct sockaddr_storage who;
  socklen_t length;
  struct in_pktinfo asked; /* under which address of ours it spoke to us: it is answered from there */
  bool has_asked;
  time_t last;
};

static struct sender senders[SENDERS_MOST];
static int count;

static time_t seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

static void forget(struct sender *s) {
  close(s->end.fd);
  s->end = (struct end){.fd = -1};
  s->listener = NULL;
  count--;
}

static bool same(const struct sender *s, const struct end *listener, const struct sockaddr_storage *who, socklen_t length) {
  return s->listener == listener && s->length == length && memcmp(&s->who, who, length) == 0;
}

/** The place of this sender, or a free one, or that of who was silent the longest. */
static struct sender *place(const struct end *listener, const struct sockaddr_storage *who, socklen_t length) {
  struct sender *best = NULL;
  for (int i = 0; i < SENDERS_MOST; i++) {
    struct sender *s = &senders[i];
    if (s->listener == NULL) {
      if (best == NULL || best->listener != NULL) best = s;
    } else if (same(s, listener, who, length)) {
      return s;
    } else if (best == NULL || (best->listener != NULL && s->last < best->last)) {
      best = s;
    }
  }
  return best;
}

static bool begin(struct carrier *k, struct sender *s, struct end *listener, const struct sockaddr_storage *who, socklen_t length) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(listener->inside), .sin_addr.s_addr = htonl(k->address)};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) {
    close(fd);
    return false;
  }
  *s = (struct sender){.end = {.kind = END_SENDER, .fd = fd, .owner = s}, .listener = listener, .length = length};
  memcpy(&s->who, who, length);
  count++;
  carrier_watch(k, &s->end, EPOLLIN);
  return true;
}

static void carry_in(struct carrier *k, struct end *listener) {
  static char bytes[DATAGRAM];
  for (int i = 0; i < IN_A_ROW; i++) {
    struct sockaddr_storage who;
    char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct iovec piece = {bytes, sizeof bytes};
    memset(&who, 0, sizeof who);
    struct msghdr m = {.msg_name = &who, .msg_namelen = sizeof who, .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    ssize_t got = recvmsg(listener->fd, &m, 0);
    if (got < 0) return;
    struct sender *s = place(listener, &who, m.msg_namelen);
    if (s->listener != NULL && !same(s, listener, &who, m.msg_namelen)) forget(s);
    if (s->listener == NULL && !begin(k, s, listener, &who, m.msg_namelen)) continue;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
      if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) continue;
      memcpy(&s->asked, CMSG_DATA(c), sizeof s->asked);
      s->has_asked = true;
    }
    s->last = seconds();
    /* What the container said to an earlier one (nobody listens) is told once, in place of sending this one. */
    if (send(s->end.fd, bytes, (size_t)got, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) send(s->end.fd, bytes, (size_t)got, MSG_NOSIGNAL);
  }
}

static void carry_out(struct sender *s) {
  static char bytes[DATAGRAM];
  for (int i = 0; i < IN_A_ROW && s->listener != NULL; i++) {
    ssize_t got = recv(s->end.fd, bytes, sizeof bytes, 0);
    if (got < 0) return;
    char room[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
    struct iovec piece = {bytes, (size_t)got};
    struct msghdr m = {.msg_name = &s->who, .msg_namelen = s->length, .msg_iov = &piece, .msg_iovlen = 1};
    if (s->has_asked) {
      struct in_pktinfo from = {.ipi_spec_dst = s->asked.ipi_spec_dst};
      m.msg_control = room;
      m.msg_controllen = sizeof room;
      struct cmsghdr *c = CMSG_FIRSTHDR(&m);
      *c = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof from)};
      memcpy(CMSG_DATA(c), &from, sizeof from);
    }
    s->last = seconds();
    if (sendmsg(s->listener->fd, &m, MSG_NOSIGNAL) < 0) continue;
  }
}

void datagrams_serve(struct carrier *k, struct end *end) {
  if (end->kind == END_DATAGRAMS) carry_in(k, end);
  else if (end->fd >= 0) carry_out(end->owner);
}

int datagrams_patience(void) { return count == 0 ? -1 : 10000; }

void datagrams_forget(void) {
  static time_t looked;
  time_t now = seconds();
  if (count == 0 || now - looked < 10) return;
  looked = now;
  for (int i = 0; i < SENDERS_MOST; i++)
    if (senders[i].listener != NULL && now - senders[i].last > SENDER_SECONDS) forget(&senders[i]);
}
