/** How the two are started, and how they say that they are ready: slirp4netns on a descriptor, pasta by its pid file, here a pipe with a name. */
#include "net_user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"

enum { READY_MILLISECONDS = 20000 };

static void become(const char *const *argv, const char *path, int errors, int ready, int parent) {
  static char search[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin", locale[] = "LC_ALL=C", *environment[] = {search, locale, NULL};
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || getppid() != parent || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(errors, 2) < 0 || dup2(ready, 3) < 0) _exit(127);
  sys_close_range(4, ~0u, 0);
  execve(path, (char *const *)argv, environment);
  _exit(127);
}

/** True when something was said, false when it ended or nothing came for too long. */
static bool is_ready(int ready, pid_t pid) {
  OWN_FD process = sys_pidfd_open(pid);
  struct pollfd both[2] = {{ready, POLLIN, 0}, {process, POLLIN, 0}};
  char said[32];
  for (int got = -1; got < 0;) {
    got = poll(both, 2, READY_MILLISECONDS);
    if (got < 0 && errno != EINTR) return false;
  }
  return (both[0].revents & POLLIN) && read(ready, said, sizeof said) > 0;
}

static int why_not(struct user_network *u, const char *name, struct err *e) {
  char said[400] = "";
  ssize_t got = read(u->errors, said, sizeof said - 1);
  char *start = said;
  said[got > 0 ? got : 0] = 0;
  for (char *at = said; *at != 0; at++) /* its last line says most */
    if (*at == '\n' && at[1] != 0) start = at + 1;
  start[strcspn(start, "\n")] = 0;
  user_network_end(u);
  return err_set(e, 0, "%s did not begin: %s", name, *start == 0 ? "it said nothing" : start);
}

static int begin(struct user_network *u, const struct network_spec *s, const char *const *argv, int ready_end, int ready, struct err *e) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return err_set(e, errno, "pipe");
  u->errors = ends[0];
  pid_t parent = getpid();
  u->pid = fork();
  if (u->pid == 0) become(argv, s->program, ends[1], ready_end, parent);
  close(ends[1]);
  if (u->pid < 0) return u->pid = 0, err_set(e, errno, "fork");
  return is_ready(ready, u->pid) ? 0 : why_not(u, argv[0], e);
}

static int begin_slirp(struct user_network *u, const struct network_spec *s, pid_t pid, struct err *e) {
  char number[16];
  int ends[2];
  snprintf(number, sizeof number, "%d", (int)pid);
  const char *const argv[] = {"slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=3", number, "tap0", NULL};
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
  int result = begin(u, s, argv, ends[1], ends[0], e);
  close(ends[0]);
  close(ends[1]);
  return result;
}

static int begin_pasta(struct user_network *u, const struct network_spec *s, pid_t pid, struct err *e) {
  const char *run = getenv("XDG_RUNTIME_DIR");
  char folder[256], pipe[300], number[16];
  snprintf(number, sizeof number, "%d", (int)pid);
  snprintf(folder, sizeof folder, "%s/strata-XXXXXX", run != NULL && strlen(run) < 200 && access(run, W_OK) == 0 ? run : "/tmp");
  if (mkdtemp(folder) == NULL) return err_set(e, errno, "make %s", folder);
  snprintf(pipe, sizeof pipe, "%s/ready", folder);
  const char *const argv[] = {"pasta", "--foreground", "--quiet", "--config-net", "--no-map-gw", "-t", "none", "-u", "none", "-T", "none", "-U", "none",
                              "--ns-ifname", "eth0", "-P", pipe, number, NULL};
  OWN_FD ready = mkfifo(pipe, 0600) < 0 ? -1 : open(pipe, O_RDWR | O_CLOEXEC);
  int result = ready < 0 ? err_set(e, errno, "make %s", pipe) : begin(u, s, argv, ready, ready, e);
  unlink(pipe);
  rmdir(folder);
  return result;
}

int user_network_begin(struct user_network *u, const struct network_spec *s, pid_t pid, struct err *e) {
  *u = (struct user_network){.errors = -1};
  OWN_FD tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (tun < 0) return err_set(e, errno, "open /dev/net/tun, which networks of ordinary users need");
  return s->kind == NETWORK_PASTA ? begin_pasta(u, s, pid, e) : begin_slirp(u, s, pid, e);
}

void user_network_end(struct user_network *u) {
  if (u->pid > 0) {
    kill(u->pid, SIGKILL);
    while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR) continue;
    own_close(&u->errors);
  }
  *u = (struct user_network){.errors = -1};
}

static uint32_t first_address(void) {
  struct ifaddrs *all, *one;
  uint32_t address = 0;
  if (getifaddrs(&all) < 0) return 0;
  for (one = all; one != NULL && address == 0; one = one->ifa_next) {
    if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET) continue;
    uint32_t found = ntohl(((struct sockaddr_in *)one->ifa_addr)->sin_addr.s_addr);
    if (found >> 24 != 127) address = found;
  }
  freeifaddrs(all);
  return address;
}

uint32_t user_network_address(int pidfd) {
  uint32_t address = 0;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return 0;
  pid_t pid = fork();
  if (pid == 0) {
    if (setns(pidfd, CLONE_NEWUSER | CLONE_NEWNET) < 0) _exit(1);
    address = first_address();
    _exit(write(ends[1], &address, sizeof address) == sizeof address ? 0 : 1);
  }
  close(ends[1]);
  if (pid > 0 && read(ends[0], &address, sizeof address) != sizeof address) address = 0;
  close(ends[0]);
  while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return address;
}
