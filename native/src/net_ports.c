/** Binding, and the two processes' words to each other; what is carried is net_proxy.c's. */
#include "net_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net_proxy.h"
#include "own.h"
#include "sys.h"

enum { NOBODY = 65534 };

struct word {
  uint32_t address;
  uint8_t enter;
};

struct answer {
  int32_t failed, count;
  struct err error;
  uint16_t hosts[MAX_PORTS];
  uint8_t missing[MAX_PORTS];
};

static int bind_one(const struct port_spec *s, uint16_t port) {
  struct sockaddr_in six_or_four = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  bool four = inet_pton(AF_INET, s->address, &six_or_four.sin_addr) == 1;
  if (!four && inet_pton(AF_INET6, s->address, &six.sin6_addr) != 1) return errno = EINVAL, -1;
  OWN_FD fd = socket(four ? AF_INET : AF_INET6, (s->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int on = 1;
  if (fd < 0) return -1;
  if (!four) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (!s->udp) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (s->udp && four) setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  if (bind(fd, four ? (struct sockaddr *)&six_or_four : (struct sockaddr *)&six, four ? sizeof six_or_four : sizeof six) < 0) return -1;
  return s->udp || listen(fd, 128) == 0 ? own_give(&fd) : -1;
}

static uint16_t port_of(int fd) {
  struct sockaddr_storage at;
  socklen_t length = sizeof at;
  if (getsockname(fd, (struct sockaddr *)&at, &length) < 0) return 0;
  return ntohs(at.ss_family == AF_INET ? ((struct sockaddr_in *)&at)->sin_port : ((struct sockaddr_in6 *)&at)->sin6_port);
}

/** -1 with errno. Every port of the range is tried; what else is wrong is wrong with all of them. */
static int bind_range(const struct port_spec *s) {
  int fd = -1;
  for (int64_t port = s->host; fd < 0 && port <= s->last; port++) {
    fd = bind_one(s, (uint16_t)port);
    if (fd < 0 && errno != EADDRINUSE) break;
  }
  return fd;
}

static int why_not(const struct port_spec *s, int number, struct err *e) {
  const char *kind = s->udp ? "udp" : "tcp", *six = strchr(s->address, ':') == NULL ? "" : "[", *end = *six == 0 ? "" : "]";
  if (number == EADDRINUSE && s->last > s->host)
    return err_set(e, 0, "all ports from %d to %d/%s are taken on this machine", (int)s->host, (int)s->last, kind);
  if (number == EADDRINUSE) return err_set(e, 0, "port %s%s%s:%d/%s is taken on this machine already", six, s->address, end, (int)s->host, kind);
  if (number == EADDRNOTAVAIL) return err_set(e, 0, "port %d/%s can not be published: %s is no address of this machine", (int)s->host, kind, s->address);
  if (number == EACCES)
    return err_set(e, 0, "port %d/%s can not be published: an ordinary user has ports from sysctl net.ipv4.ip_unprivileged_port_start on", (int)s->host, kind);
  return err_set(e, number, "port %s%s%s:%d/%s can not be published", six, s->address, end, (int)s->host, kind);
}

static bool bind_all(const struct network_spec *s, int fds[MAX_PORTS], struct answer *a) {
  uint16_t before = 0;
  for (int i = 0; i < s->port_count; i++) {
    struct port_spec one = s->ports[i];
    if (one.follows) one.host = one.last = before;
    fds[i] = bind_range(&one);
    a->missing[i] = fds[i] < 0;
    if (fds[i] < 0 && !(one.follows && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))) return why_not(&one, errno, &a->error), false;
    if (fds[i] >= 0) before = a->hosts[i] = port_of(fds[i]);
  }
  return true;
}

/** It speaks with strangers: it keeps nothing of ours but its sockets. */
static int lock_in(const struct word *w, int pidfd) {
  if (w->enter != 0 && setns(pidfd, CLONE_NEWUSER | CLONE_NEWNET) < 0) return -1;
  if (w->enter == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)) return -1;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static int hold(const struct network_spec *s, int socket, int parent) {
  static struct answer a;
  static int fds[MAX_PORTS];
  struct word w;
  int pidfd = -1;
  char room[CMSG_SPACE(sizeof(int))];
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  a.failed = !bind_all(s, fds, &a);
  a.count = s->port_count;
  if (send(socket, &a, sizeof a, MSG_NOSIGNAL) != sizeof a || a.failed) return 1;
  struct iovec bytes = {&w, sizeof w};
  struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) != sizeof w) return 1;
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  if (c != NULL && c->cmsg_type == SCM_RIGHTS) memcpy(&pidfd, CMSG_DATA(c), sizeof pidfd);
  int32_t number = lock_in(&w, pidfd) < 0 ? errno : 0;
  own_close(&pidfd);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* after the change of user, which takes it back */
  if (getppid() != parent || send(socket, &number, sizeof number, MSG_NOSIGNAL) != sizeof number || number != 0) return 1;
  close(socket);
  return proxy_main(s, fds, w.address);
}

static void become(const struct network_spec *s, int socket, int parent) {
  sigset_t none;
  prctl(PR_SET_NAME, "strata-ports");
  prctl(PR_SET_DUMPABLE, 0);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_IGN);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(socket, 3) < 0) _exit(1);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  sys_close_range(4, ~0u, 0);
  _exit(hold(s, 3, parent));
}

int ports_bind(struct ports *p, const struct network_spec *s, struct err *e) {
  static struct answer a;
  int ends[2];
  *p = (struct ports){.socket = -1};
  if (s->port_count == 0) return 0;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(e, errno, "socketpair");
  pid_t parent = getpid();
  p->pid = fork();
  if (p->pid == 0) become(s, ends[1], parent);
  close(ends[1]);
  p->socket = ends[0];
  if (p->pid < 0) return p->pid = 0, err_set(e, errno, "fork");
  if (recv(p->socket, &a, sizeof a, 0) != sizeof a) return err_set(e, 0, "the process that is to hold the ports died");
  if (a.failed) return err_set(e, 0, "%s", a.error.text);
  p->bound = calloc((size_t)a.count, sizeof *p->bound);
  if (p->bound == NULL) return err_set(e, ENOMEM, "ports");
  for (int i = 0; i < a.count; i++) {
    if (a.missing[i]) continue;
    struct bound *to = &p->bound[p->count++];
    *to = (struct bound){.host = a.hosts[i], .inside = (uint16_t)s->ports[i].inside, .udp = s->ports[i].udp};
    snprintf(to->address, sizeof to->address, "%s", s->ports[i].address);
  }
  return 0;
}

int ports_carry(struct ports *p, uint32_t address, int pidfd, struct err *e) {
  struct word w = {.address = address, .enter = pidfd >= 0};
  struct iovec bytes = {&w, sizeof w};
  char room[CMSG_SPACE(sizeof(int))] = {0};
  struct msghdr m = {.msg_iov = &bytes, .msg_iovlen = 1};
  int32_t number = EIO;
  if (p->pid == 0) return 0;
  if (pidfd >= 0) {
    m.msg_control = room;
    m.msg_controllen = sizeof room;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(c), &pidfd, sizeof pidfd);
  }
  bool told = sendmsg(p->socket, &m, MSG_NOSIGNAL) == sizeof w && recv(p->socket, &number, sizeof number, 0) == sizeof number && number == 0;
  own_close(&p->socket);
  p->socket = -1;
  return told ? 0 : err_set(e, number, "publish the ports");
}

void ports_end(struct ports *p) {
  if (p->pid > 0) {
    kill(p->pid, SIGKILL);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  if (p->pid > 0 || p->bound != NULL) own_close(&p->socket);
  free(p->bound);
  *p = (struct ports){.socket = -1};
}
