/** One message with the terminal's name and SCM_RIGHTS. */
#include "console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "own.h"

int console_hand_over(const char *path, int master, struct err *e) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return err_set(e, ENAMETOOLONG, "console socket %s", path);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  OWN_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return err_set(e, errno, "console socket %s", path);
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof master)];
  } control;
  memset(&control, 0, sizeof control);
  char name[] = "/dev/ptmx";
  struct iovec part = {name, sizeof name - 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof master);
  memcpy(CMSG_DATA(c), &master, sizeof master);
  return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? err_set(e, errno, "console socket %s", path) : 0;
}
