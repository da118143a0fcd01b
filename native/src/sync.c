/** One sequenced packet a message. What comes from a container that was already started is never believed beyond its shape. */
#include "sync.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct packet {
  enum sync_kind kind;
  struct err e;
};
union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

int sync_send(int socket, enum sync_kind kind, const struct err *e, int fd) {
  struct packet packet;
  memset(&packet, 0, sizeof packet);
  packet.kind = kind;
  if (e != NULL) packet.e = *e;
  union control control;
  memset(&control, 0, sizeof control);
  struct iovec part = {&packet, sizeof packet};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  ssize_t sent;
  while ((sent = sendmsg(socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR) continue;
  return sent < 0 ? -1 : 0;
}

enum sync_kind sync_receive(int socket, struct err *e, int *fd) {
  struct packet packet;
  union control control;
  struct iovec part = {&packet, sizeof packet};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got;
  *fd = -1;
  while ((got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  if (got != sizeof packet) return SYNC_END;
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  if (c != NULL && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof *fd)) memcpy(fd, CMSG_DATA(c), sizeof *fd);
  *e = packet.e;
  e->text[sizeof e->text - 1] = 0;
  return packet.kind;
}
