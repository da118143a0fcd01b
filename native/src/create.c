/** Claims the container's directory, forks twice, waits for the word of the monitor. */
#include "create.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own.h"
#include "sync.h"
#include "terminal.h"

/** In a session of its own but not its leader: it can never get a terminal by opening one. */
static void become_monitor(struct launch *l, struct home *home, const struct create_options *o, int report) {
  if (o->errors >= 0) close(o->errors);
  if (setsid() < 0) _exit(ERR_SETUP);
  pid_t monitor = fork();
  if (monitor == 0) _exit(monitor_main(l, home, &o->monitor, report));
  _exit(monitor < 0 ? ERR_SETUP : 0);
}

static int hear(int report, pid_t *pid, struct err *e) {
  struct err said;
  int fd;
  enum sync_kind kind = sync_receive(report, &said, &fd);
  own_close(&fd);
  if (kind == SYNC_READY) return *pid = (pid_t)said.number, 0;
  if (kind == SYNC_ERROR) return *e = said, -1;
  return err_set(e, 0, "the container's monitor died before the container was made");
}

static int create(struct launch *l, struct home *home, const struct create_options *o, struct err *e) {
  int ends[2];
  pid_t pid = 0;
  if (launch_read(l, o->bundle, e) < 0 || home_claim(home, o->root, o->monitor.id, e) < 0) return -1;
  if (o->sized) terminal_size_into(&l->spec);
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(e, errno, "socketpair");
  pid_t between = fork();
  if (between == 0) {
    close(ends[0]);
    become_monitor(l, home, o, ends[1]);
  }
  close(ends[1]);
  OWN_FD report = ends[0];
  if (between < 0) return err_set(e, errno, "start the container's monitor");
  while (waitpid(between, NULL, 0) < 0 && errno == EINTR) continue;
  if (hear(report, &pid, e) < 0) return -1;
  return launch_write_pid(o->pid_file, pid, e);
}

int create_main(const struct create_options *o, struct err *e) {
  struct launch l;
  struct home home = {.dir = -1, .lock = -1};
  e->status = ERR_SETUP;
  int result = create(&l, &home, o, e);
  if (result < 0 && e->status == 0) e->status = ERR_SETUP;
  launch_free(&l);
  home_close(&home);
  return result;
}
