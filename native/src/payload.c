/** Order matters here: what needs a capability comes before it is dropped, the filter comes last, then only exec. */
#include "payload.h"

#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "caps.h"
#include "copy.h"
#include "own.h"
#include "seccomp.h"
#include "sync.h"
#include "sys.h"
#include "user.h"

static int terminal(int peer, struct err *e) {
  /* A session of our own also where there is no terminal: no typing into the one that we were started from (CVE-2017-5226). */
  if (setsid() < 0 && errno != EPERM) return err_set(e, errno, "setsid");
  if (peer < 0) return 0;
  if (ioctl(peer, TIOCSCTTY, 0) < 0) return err_set(e, errno, "take the terminal");
  for (int fd = 0; fd < 3; fd++)
    if (dup2(peer, fd) < 0) return err_set(e, errno, "connect the terminal");
  return 0;
}

/**
 * Pipes are given to the user, so that /dev/stdout can be opened again. Nothing else: a device may be the host's inode
 * (crun leaves the host's /dev/null with a new owner), a file is the caller's.
 */
static void own_stdio(const struct spec *s, int peer) {
  for (int fd = 0; fd < 3; fd++) {
    struct stat st;
    if (s->uid != 0 && fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || peer >= 0) && fchown(fd, s->uid, (gid_t)-1) < 0) continue;
  }
}

static void session_keyring(const char *id) {
  char name[128];
  snprintf(name, sizeof name, "_ses.%.100s", id);
  syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, name, 0, 0, 0); /* no keys at all is as good: errors are none */
}

static int limits(const struct spec *s, struct err *e) {
  for (int i = 0; i < s->rlimit_count; i++) {
    struct rlimit now, wanted = s->rlimits[i].limit;
    if (getrlimit(s->rlimits[i].resource, &now) < 0) return err_set(e, errno, "limit %d", s->rlimits[i].resource);
    if (wanted.rlim_max > now.rlim_max) wanted.rlim_max = now.rlim_max; /* the helper raised it as far as it may */
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    if (setrlimit(s->rlimits[i].resource, &wanted) < 0) return err_set(e, errno, "limit %d", s->rlimits[i].resource);
  }
  return 0;
}

static int identity(const struct child *c, struct err *e) {
  struct spec *s = c->spec;
  if (c->user && (!idmap_has(&s->maps.uid, s->uid) || !idmap_has(&s->maps.gid, s->gid)))
    return err_set(e, 0, "user %u, group %u: this user namespace has no such ids%s", s->uid, s->gid,
                   s->maps.single ? "; /etc/subuid and /etc/subgid give this user none besides its own" : "");
  if (caps_bound(s->bounding, e) < 0) return -1;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return err_set(e, errno, "keep capabilities");
  gid_t groups[MAX_GROUPS];
  size_t count = 0;
  for (int i = 0; i < s->group_count; i++)
    if (!c->user || idmap_has(&s->maps.gid, s->groups[i])) groups[count++] = s->groups[i];
  if (!(c->user && s->maps.single) && setgroups(count, groups) < 0) return err_set(e, errno, "set the groups");
  if (setresgid(s->gid, s->gid, s->gid) < 0 || setresuid(s->uid, s->uid, s->uid) < 0) return err_set(e, errno, "become user %u", s->uid);
  return caps_set(~0ULL, ~0ULL, e); /* what is permitted is effective again, until the end of prepare */
}

static int enter(const struct spec *s, struct err *e) {
  char path[PATH_MAX];
  if (chdir(s->cwd) < 0) return err_set(e, errno, "enter %s", s->cwd);
  /* A directory that lies outside has no path here (CVE-2024-21626). */
  if (getcwd(path, sizeof path) == NULL || path[0] != '/') return err_set(e, 0, "%s lies outside the container", s->cwd);
  return 0;
}

static void signals_as_new(void) {
  sigset_t none;
  for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int tried(const char *path, const struct spec *s, const char **env) {
  execve(path, (char *const *)s->args.items, (char *const *)env);
  return errno;
}

/** Tries the command, along PATH when its name has no slash; gives the errno that says most. */
static int execute_named(const struct spec *s, const char **env) {
  const char *name = s->args.items[0], *search = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  if (*name == 0) return ENOENT;
  if (strchr(name, '/') != NULL) return tried(name, s, env);
  for (int i = 0; env[i] != NULL; i++)
    if (strncmp(env[i], "PATH=", 5) == 0) search = env[i] + 5;
  int best = ENOENT;
  while (search != NULL) {
    char path[PATH_MAX];
    size_t length = strcspn(search, ":");
    int number = snprintf(path, sizeof path, "%.*s%s%s", (int)length, search, length == 0 ? "" : "/", name) >= (int)sizeof path ? ENAMETOOLONG : tried(path, s, env);
    if (number != ENOENT && number != ENOTDIR) best = number;
    if (number != ENOENT && number != ENOTDIR && number != EACCES) break;
    search = search[length] == 0 ? NULL : search + length + 1;
  }
  return best;
}

static bool not_there(int number) { return number == ENOENT || number == ENOTDIR; }

/** Tries the command, then whatever may stand in its place where it is not there. */
static int execute(struct spec *s, const char **env) {
  int number = execute_named(s, env);
  for (uint32_t i = 0; not_there(number) && i < s->instead.count; i++) {
    s->args.items[0] = s->instead.items[i];
    number = execute_named(s, env);
  }
  return number;
}

/** The environment, with HOME where it has none. */
static int environment(const struct spec *s, const char *home, char home_entry[300], const char ***env, struct err *e) {
  bool has = false;
  *env = calloc(s->env.count + 2, sizeof **env);
  if (*env == NULL) return err_set(e, ENOMEM, "the environment");
  for (uint32_t i = 0; i < s->env.count; i++) {
    (*env)[i] = s->env.items[i];
    has |= strncmp(s->env.items[i], "HOME=", 5) == 0;
  }
  snprintf(home_entry, 300, "HOME=%s", home[0] == 0 ? "/" : home);
  if (!has) (*env)[s->env.count] = home_entry;
  return 0;
}

static int prepare(struct child *c, int peer, char home[256], struct err *e) {
  struct spec *s = c->spec;
  if (terminal(peer, e) < 0) return -1;
  /* All of them are close-on-exec; closed for good before anything of the image is entered (CVE-2024-21626). */
  if (c->sync > 3) sys_close_range(3, (unsigned)c->sync - 1, 0);
  sys_close_range((unsigned)c->sync + 1, ~0u, 0);
  if (user_look_up(s, home, e) < 0) return -1;
  own_stdio(s, peer);
  session_keyring(c->id);
  if (limits(s, e) < 0 || identity(c, e) < 0) return -1;
  if (s->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return err_set(e, errno, "no_new_privs");
  if (s->umask >= 0) umask((mode_t)s->umask);
  if (enter(s, e) < 0) return -1;
  if (!s->unconfined && !s->no_new_privileges && seccomp_install(e) < 0) return -1; /* while CAP_SYS_ADMIN is there */
  if (caps_set(s->permitted, s->effective, e) < 0) return -1;
  return s->unconfined || !s->no_new_privileges ? 0 : seccomp_install(e);
}

/** False when nobody is left who could: the monitor is dead. */
static bool told_to_start(int sync) {
  struct err ignored;
  int fd;
  return sync_receive(sync, &ignored, &fd) == SYNC_START;
}

int payload_exec(struct child *c, int peer) {
  struct err e = {.status = ERR_SETUP};
  const char **env = NULL;
  char home[256], home_entry[300];
  if (prepare(c, peer, home, &e) == 0 && environment(c->spec, home, home_entry, &env, &e) == 0) {
    signals_as_new();
    /* After the identity, which takes it back. Where we are pid 1 ourselves nobody else keeps this promise. */
    if (!c->outlives && !c->spec->init) prctl(PR_SET_PDEATHSIG, SIGKILL);
    sync_send(c->sync, SYNC_READY, NULL, -1);
    if (c->waits && !told_to_start(c->sync)) _exit(ERR_SETUP);
    if (copy_is_meant(c->spec->args.items)) {
      close(c->sync); /* started, as the start of a command would say */
      _exit(copy_main(c->spec->args.items, c->user ? &c->spec->maps : NULL));
    }
    int number = execute(c->spec, env);
    e.status = not_there(number) ? ERR_NOT_FOUND : ERR_NOT_EXECUTABLE;
    err_set(&e, number, "start %.200s", c->spec->args.items[0]);
  }
  free(env);
  sync_send(c->sync, SYNC_ERROR, &e, -1);
  return e.status;
}
