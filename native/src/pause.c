/** The state says which cgroup it is and which process is the first. */
#include "pause.h"

#include "cgroup.h"
#include "state.h"
#include "sweep.h"

typedef int work(const struct state *s, struct cgroup *c, const void *argument, struct err *e);

/** The container's state and cgroups, opened for one piece of work. */
static int with(const char *root, const char *id, work *job, const void *argument, struct err *e) {
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  struct cgroup c;
  int result = home_open(&home, root, id, e);
  if (result == 0 && state_read(&s, home.dir, e) < 0) result = err_in(e, "container %s", id);
  if (result == 0) {
    cgroup_open(&c, s.cgroup == NULL ? "" : s.cgroup);
    result = job(&s, &c, argument, e);
    cgroup_close(&c);
  }
  state_free(&s);
  home_close(&home);
  return result;
}

static int change_pause(const struct state *s, struct cgroup *c, const void *argument, struct err *e) {
  bool paused = *(const bool *)argument;
  enum status wanted = paused ? STATUS_RUNNING : STATUS_PAUSED;
  if (s->status != wanted) return err_set(e, 0, "container %s is not %s, it is %s", s->id, status_name(wanted), status_name(s->status));
  return cgroup_freezable(c) ? cgroup_freeze(c, paused, e) : sweep_stop(s->process.pid, paused, e);
}

int pause_main(const char *root, const char *id, bool paused, struct err *e) { return with(root, id, change_pause, &paused, e); }

static int change_limits(const struct state *s, struct cgroup *c, const void *argument, struct err *e) {
  if (s->status == STATUS_STOPPED) return err_set(e, 0, "container %s is stopped", s->id);
  return cgroup_extend(c, argument, e) < 0 ? -1 : cgroup_limit(c, argument, e);
}

int update_main(const char *root, const char *id, const struct resources *limits, struct err *e) { return with(root, id, change_limits, limits, e); }
