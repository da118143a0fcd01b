/** /proc/sys shows each process the settings of its own namespaces. */
#include "sysctl.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "own.h"
#include "sys.h"

static const char *const of_ipc[] = {"kernel.shmmax", "kernel.shmall",          "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msgmax",
                                     "kernel.msgmnb", "kernel.msgmni",          "kernel.sem",    "kernel.msg_next_id",     "kernel.sem_next_id",
                                     "kernel.shm_next_id", "kernel.auto_msgmni"};

static bool own(const struct spec *s, const char *name) {
  if (strncmp(name, "net.", 4) == 0) return (s->namespaces & CLONE_NEWNET) != 0;
  if (strncmp(name, "fs.mqueue.", 10) == 0) return true;
  for (size_t i = 0; i < sizeof of_ipc / sizeof of_ipc[0]; i++)
    if (strcmp(name, of_ipc[i]) == 0) return true;
  return strcmp(name, "kernel.domainname") == 0; /* the host name is a member of its own */
}

/** "net.ipv4.ip_forward" is /proc/sys/net/ipv4/ip_forward; nothing in a name leads elsewhere. */
static bool path_of(const char *name, char path[256]) {
  if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(name) || strstr(name, "..") != NULL) return false;
  if (snprintf(path, 256, "/proc/sys/%s", name) >= 256) return false;
  for (char *at = path + 10; *at != 0; at++)
    if (*at == '.') *at = '/';
  return true;
}

static int each(const struct spec *s, int (*work)(const struct spec *, const char *, const char *, struct err *), struct err *e) {
  for (const struct json *m = s->sysctl == NULL ? NULL : json_first(&s->document, s->sysctl); m != NULL; m = json_next(&s->document, m)) {
    const char *name = json_key(&s->document, m);
    if (m->type != JSON_STRING) return err_set(e, 0, "config: linux.sysctl %.100s must be a string", name);
    if (work(s, name, json_text(&s->document, m), e) < 0) return -1;
  }
  return 0;
}

static int check(const struct spec *s, const char *name, const char *value, struct err *e) {
  char path[256];
  (void)value;
  if (!path_of(name, path)) return err_set(e, 0, "config: linux.sysctl %.100s: there is no such name", name);
  return own(s, name) ? 0 : err_set(e, 0, "config: linux.sysctl %.100s would be the host's: it belongs to no namespace of the container", name);
}

static int set(const struct spec *s, const char *name, const char *value, struct err *e) {
  char path[256];
  (void)s;
  OWN_FD fd = path_of(name, path) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
  if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value)) return err_set(e, errno, "set %.100s to %.100s", name, value);
  return 0;
}

int sysctl_check(const struct spec *s, struct err *e) { return each(s, check, e); }

int sysctl_set(const struct spec *s, struct err *e) { return each(s, set, e); }
