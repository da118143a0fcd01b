/** Options by the names that crun and runc gave them, where they have them. */
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "contact.h"
#include "create.h"
#include "end.h"
#include "list.h"
#include "out.h"
#include "own.h"
#include "reexec.h"
#include "relay.h"
#include "run.h"
#include "spawn.h"
#include "state.h"
#include "tree.h"

/** What create and run have in common. */
struct making {
  const char *bundle, *pid_file, *log, *log_size, *log_files, *console_socket, *detach_keys, *reply;
  bool no_stdin, detach, foreground, keep, remove;
  const char *speaks_as;
  struct leavings leavings; /* what the caller keeps, and goes with the state */
};

static int one_id(const struct arguments *a, const struct verb_context *c, char root[PATH_MAX], const char *what, struct err *e) {
  if (a->count != 1) return args_wrong(e, what);
  return home_root(c->root, root, e);
}

static int read_making(struct making *m, struct arguments *a, struct err *e) {
  const struct option table[] = {
      {"--bundle", 'b', OPTION_TEXT, &m->bundle}, {"--pid-file", 0, OPTION_TEXT, &m->pid_file}, {"--log", 0, OPTION_TEXT, &m->log},
      {"--log-max-size", 0, OPTION_TEXT, &m->log_size}, {"--log-max-files", 0, OPTION_TEXT, &m->log_files},
      {"--console-socket", 0, OPTION_TEXT, &m->console_socket}, {"--detach-keys", 0, OPTION_TEXT, &m->detach_keys}, {"--reply-fd", 0, OPTION_TEXT, &m->reply},
      {"--no-stdin", 0, OPTION_FLAG, &m->no_stdin}, {"--detach", 'd', OPTION_FLAG, &m->detach}, {"--foreground", 0, OPTION_FLAG, &m->foreground},
      {"--keep-state", 0, OPTION_FLAG, &m->keep}, {"--remove", 0, OPTION_FLAG, &m->remove},
      {"--discard", 0, OPTION_WORDS, &m->leavings.paths}, {"--discard-name", 0, OPTION_WORDS, &m->leavings.names},
      {"--discard-user", 0, OPTION_WORDS, &m->leavings.volumes}, {"--discard-volume", 0, OPTION_WORDS, &m->leavings.anonymous},
      /* crun's and runc's, of which there is nothing to do here */
      {"--config", 'f', OPTION_IGNORED_TEXT, NULL}, {"--no-pivot", 0, OPTION_IGNORED_FLAG, NULL}, {"--no-new-keyring", 0, OPTION_IGNORED_FLAG, NULL},
      {"--no-subreaper", 0, OPTION_IGNORED_FLAG, NULL}, {"--preserve-fds", 0, OPTION_IGNORED_TEXT, NULL}, {NULL, 0, OPTION_FLAG, NULL}};
  *m = (struct making){.bundle = ".", .detach_keys = "ctrl-p,ctrl-q"};
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count != 1) return args_wrong(e, "one container id is wanted");
  m->leavings.id = a->values[0];
  return home_id(a->values[0]) ? 0 : args_wrong(e, "a container id is letters, digits, '_', '+', '-' and, not first, '.'");
}

/** From here on in the sealed copy, with nothing of the caller's. */
static int seal(const struct verb_context *c, int keep, struct err *e) {
  e->status = ERR_SETUP;
  return reexec_sealed(c->argv, e) < 0 || reexec_clean(keep < 0 ? c->errors : keep, e) < 0 ? -1 : 0;
}

static int creation(const struct making *m, const char *id, const struct verb_context *c, char root[PATH_MAX], struct create_options *to, struct err *e) {
  long long size = 0, files = 1;
  if (args_number(m->log_size, "--log-max-size", 0, LLONG_MAX, &size, e) < 0 ||
      args_number(m->log_files, "--log-max-files", 1, LOG_FILES_MOST, &files, e) < 0 || home_root(c->root, root, e) < 0)
    return -1;
  *to = (struct create_options){.root = root, .bundle = m->bundle, .pid_file = m->pid_file, .errors = c->errors};
  to->monitor = (struct monitor_options){.id = id, .argv = c->argv, .log = {m->log, size, files}, .streams = m->log != NULL, .no_stdin = m->no_stdin,
                                         .durable = true, .console_socket = m->console_socket};
  return 0;
}

int verb_create(struct arguments *a, const struct verb_context *c, struct err *e) {
  struct making m;
  struct create_options o;
  char root[PATH_MAX];
  if (read_making(&m, a, e) < 0 || creation(&m, a->values[0], c, root, &o, e) < 0 || seal(c, -1, e) < 0) return -1;
  return create_main(&o, e);
}

int verb_start(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0 || one_id(a, c, root, "start takes one container id", e) < 0) return -1;
  return contact_start_main(root, a->values[0], e);
}

static int run_foreground(const struct making *m, const char *id, const struct verb_context *c, struct err *e) {
  long long reply = -1;
  if (args_number(m->reply, "--reply-fd", 0, INT_MAX, &reply, e) < 0 || seal(c, (int)reply, e) < 0) return -1;
  const struct run_options o = {.bundle = m->bundle, .id = id, .pid_file = m->pid_file, .reply = (int)reply, .argv = c->argv};
  return run_main(&o, e);
}

/** Attached from before the start, so that nothing of it is missed, until the end. */
static int run_attached(const struct making *m, const struct create_options *o, const struct attach_options *how, struct err *e) {
  struct home home;
  struct state s = {0};
  if (home_open(&home, o->root, o->monitor.id, e) < 0) return -1;
  relay_hold_signals();
  int result = -1;
  OWN_FD fd = state_read(&s, home.dir, e) < 0 ? -1 : contact_open(&home, e);
  if (fd >= 0 && m->speaks_as != NULL && s.warning != NULL && strstr(s.warning, "no network") != NULL) dprintf(2, "%s: warning: %s.\n", m->speaks_as, s.warning);
  if (fd >= 0 && m->detach) result = contact_start(fd, e);
  else if (fd >= 0 && contact_send(fd, 'f', NULL, 0, e) == 0 && contact_send(fd, 's', NULL, 0, e) == 0) result = attach_serve(fd, &s.process, how, e);
  state_free(&s);
  home_close(&home);
  return result;
}

/** What the caller kept of a container that nothing is known of any more: it never began, and so had no monitor to see to that. */
static void discard(struct leavings *l, const char *root) {
  struct home home = {.dir = -1, .lock = -1};
  struct err e = {0};
  bool there = home_open(&home, root, l->id, &e) == 0 || e.number != ENOENT;
  home_close(&home);
  if (!there) leavings_remove(l);
}

static int create_and_attach(struct making *m, const struct create_options *o, struct err *e) {
  struct attach_options how = {.no_stdin = m->no_stdin, .owns = true};
  struct err ignored;
  if (keys_read(&how.keys, m->detach_keys, e) < 0 || create_main(o, e) < 0) {
    discard(&m->leavings, o->root);
    return -1;
  }
  e->status = 0;
  int result = run_attached(m, o, &how, e);
  /* One that could not be started, or that ended before our eyes, is of no more use. One that goes on is not touched. */
  bool never_began = result < 0 && e->status != 0;
  if (result < 0 && e->status == 0) e->status = ERR_SETUP;
  if (result < 0 || (!m->detach && !m->keep && !m->remove)) end_delete(o->root, o->monitor.id, never_began, &ignored);
  if (result < 0 && m->remove) discard(&m->leavings, o->root); /* its monitor heard that the state is ours to remove, and left the rest to us */
  return result;
}

int verb_run(struct arguments *a, const struct verb_context *c, struct err *e) {
  struct making m;
  struct create_options o;
  char root[PATH_MAX];
  if (read_making(&m, a, e) < 0) return -1;
  m.speaks_as = c->speaks_as;
  if (m.foreground) return run_foreground(&m, a->values[0], c, e);
  if (creation(&m, a->values[0], c, root, &o, e) < 0 || seal(c, -1, e) < 0) return -1;
  o.sized = !m.detach;
  o.monitor.durable = m.detach || m.keep;
  if (m.remove) o.monitor.leavings = &m.leavings;
  int result = create_and_attach(&m, &o, e);
  leavings_free(&m.leavings);
  return result;
}

int verb_attach(struct arguments *a, const struct verb_context *c, struct err *e) {
  struct attach_options o = {0};
  const char *keys = "ctrl-p,ctrl-q";
  const struct option table[] = {{"--no-stdin", 0, OPTION_FLAG, &o.no_stdin}, {"--replay", 0, OPTION_FLAG, &o.replay},
                                 {"--ends-stdin", 0, OPTION_FLAG, &o.ends_stdin}, {"--detach-keys", 0, OPTION_TEXT, &keys}, {NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0 || one_id(a, c, root, "attach takes one container id", e) < 0 || keys_read(&o.keys, keys, e) < 0) return -1;
  return attach_main(root, a->values[0], &o, e);
}

int verb_kill(struct arguments *a, const struct verb_context *c, struct err *e) {
  struct end_how how = {0};
  const struct option table[] = {{"--all", 'a', OPTION_FLAG, &how.all}, {"--last", 0, OPTION_FLAG, &how.last}, {"--keep", 0, OPTION_FLAG, &how.keep}, {NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count < 1 || a->count > 2) return args_wrong(e, "kill takes a container id and a signal");
  int number = end_signal(a->count == 2 ? a->values[1] : "TERM");
  if (number < 0) return args_wrong(e, "there is no such signal");
  return home_root(c->root, root, e) < 0 ? -1 : end_kill(root, a->values[0], number, &how, e);
}

int verb_wait(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0 || one_id(a, c, root, "wait takes one container id", e) < 0) return -1;
  return end_wait(root, a->values[0], e);
}

int verb_delete(struct arguments *a, const struct verb_context *c, struct err *e) {
  bool force = false;
  const struct option table[] = {{"--force", 'f', OPTION_FLAG, &force}, {NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0 || one_id(a, c, root, "delete takes one container id", e) < 0) return -1;
  return end_delete(root, a->values[0], force, e);
}

int verb_resize(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  long long columns = 0, rows = 0;
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count != 3) return args_wrong(e, "resize takes a container id, columns and rows");
  if (args_number(a->values[1], "COLUMNS", 1, 65535, &columns, e) < 0 || args_number(a->values[2], "ROWS", 1, 65535, &rows, e) < 0) return -1;
  return home_root(c->root, root, e) < 0 ? -1 : contact_resize_main(root, a->values[0], (int)columns, (int)rows, e);
}

int verb_state(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0 || one_id(a, c, root, "state takes one container id", e) < 0) return -1;
  return list_one(root, a->values[0], e);
}

int verb_list(struct arguments *a, const struct verb_context *c, struct err *e) {
  const struct option table[] = {{"--format", 'f', OPTION_IGNORED_TEXT, NULL}, {NULL, 0, OPTION_FLAG, NULL}};
  char root[PATH_MAX];
  if (args_read(a, table, false, e) < 0) return -1;
  if (a->count != 0) return args_wrong(e, "list takes nothing");
  return home_root(c->root, root, e) < 0 ? -1 : list_all(root, e);
}
