/** No monitor, no state: the cheapest way. The container ends when this process does, however that happens. */
#include "run.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "init.h"
#include "launch.h"
#include "out.h"
#include "own.h"
#include "relay.h"
#include "sys.h"
#include "terminal.h"

static void reply(int fd, const char *event, const char *key, int64_t number) {
  struct out o = {0};
  if (fd < 0) return;
  out_open(&o, '{');
  out_text(&o, "event", event);
  out_number(&o, key, number);
  out_close(&o, '}');
  out_flush(&o, fd);
  out_free(&o);
}

static int follow(const struct run_options *o, struct launch *l) {
  struct err ignored;
  int status;
  close(l->sync);
  l->sync = -1;
  reply(o->reply, "started", "pid", l->pid);
  relay(l->pidfd, l->master);
  while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR) continue;
  cgroup_remove(&l->cgroup, &ignored);
  network_down(&l->network);
  reply(o->reply, "exited", "status", init_status(status));
  return init_status(status);
}

static int run_container(const struct run_options *o, struct launch *l, struct err *e) {
  const struct launch_options how = {.id = o->id, .argv = o->argv, .stdio = {-1, -1, -1}};
  e->status = ERR_SETUP;
  if (launch_read(l, o->bundle, e) < 0) return -1;
  terminal_size_into(&l->spec);
  relay_hold_signals();
  if (launch_spawn(l, &how, e) == 0 && launch_write_pid(o->pid_file, l->pid, e) == 0 && launch_build(l, &how, e) == 0) return follow(o, l);
  launch_abandon(l);
  if (e->status == 0) e->status = ERR_SETUP;
  return -1;
}

int run_main(const struct run_options *o, struct err *e) {
  struct launch l;
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* a caller that is killed takes us, and us the container, along */
  int result = run_container(o, &l, e);
  launch_free(&l);
  if (result >= 0 || o->reply < 0) return result;
  /* Standard error may be the person's terminal: whoever listens on the other descriptor words it better. */
  out_error(o->reply, e);
  return e->status;
}
