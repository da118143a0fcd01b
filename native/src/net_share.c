/** A process in between goes there and makes the container's first one, of which we are the parent all the same (CLONE_PARENT). */
#include "net_share.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own.h"
#include "spawn.h"
#include "state.h"
#include "sync.h"

/** A pidfd of the other container's first process. */
static int other(const char *path, struct err *e) {
  struct state s = {0};
  OWN_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0 && errno == ENOENT) return err_set(e, 0, "the container whose network is to be shared does not run");
  if (dir < 0 || state_read(&s, dir, e) < 0) return dir < 0 ? err_set(e, errno, "open %s", path) : -1;
  int process = s.status == STATUS_STOPPED ? -1 : process_open(&s.process);
  state_free(&s);
  return process < 0 ? err_set(e, 0, "the container whose network is to be shared does not run") : process;
}

/** Gives 0 in the new process, and does not come back in the one between. */
static pid_t between(int there, int flags, int *into, int report) {
  struct err e = {.status = ERR_SETUP};
  int pidfd = -1;
  bool user = (flags & CLONE_NEWUSER) != 0;
  pid_t pid = -1;
  if (setns(there, CLONE_NEWNET | (user ? CLONE_NEWUSER : 0)) < 0) err_set(&e, errno, "enter the other container's network");
  else pid = spawn_namespaces((flags & ~CLONE_NEWUSER) | CLONE_PARENT, into, &pidfd, &e);
  if (pid == 0) return 0;
  if (pid > 0) e.number = pid;
  sync_send(report, pid > 0 ? SYNC_PROCESS : SYNC_ERROR, &e, pidfd);
  _exit(0);
}

pid_t share_spawn(const struct network_spec *s, int flags, int *into, int *pidfd, struct err *e) {
  struct err said = {0};
  int ends[2];
  OWN_FD there = other(s->container, e);
  if (there < 0) return -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(e, errno, "socketpair");
  pid_t child = fork();
  if (child == 0) {
    own_close(&ends[0]);
    return between(own_give(&there), flags, into, ends[1]);
  }
  close(ends[1]);
  OWN_FD report = ends[0];
  enum sync_kind kind = child < 0 ? SYNC_END : sync_receive(report, &said, pidfd);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  if (kind == SYNC_ERROR) return *e = said, -1;
  return kind == SYNC_PROCESS ? (pid_t)said.number : err_set(e, 0, "the container could not be born in the other one's network");
}
