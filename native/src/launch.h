/** From a bundle to a container whose command is about to run, as whoever watches over it does it: `run` itself, or a monitor. */
#ifndef STRATA_LAUNCH_H
#define STRATA_LAUNCH_H
#include <limits.h>

#include "cgroup.h"
#include "network.h"
#include "spec.h"

struct launch {
  struct spec spec;
  char *config;             /* the text of config.json, `config_length` bytes */
  size_t config_length;
  char bundle[PATH_MAX], root[PATH_MAX];
  int upper_lock;           /* held as long as the container may write */
  struct cgroup cgroup;
  struct network network;
  struct err warning;       /* limits that are not kept, no network; its text is empty when all is well */
  pid_t pid;                /* the container's first process, our child; 0 before it is there */
  int pidfd, sync, master;  /* master: of its terminal; each -1 when there is none */
};

struct launch_options {
  const char *id;
  char **argv;    /* of this process, blanked in the container's copy */
  int stdio[3];   /* what becomes 0, 1 and 2; -1 leaves ours */
  bool waits;     /* the command waits for launch_start */
  bool outlives;  /* the container goes on when we are gone */
  bool cgroups;   /* also where no limit asks for them */
  const int *home; /* the state directory, in which stands what network it has; or NULL */
};

/** Reads config.json and checks what can be checked. The caller ends with launch_free, also after an error. */
int launch_read(struct launch *l, const char *bundle, struct err *e);

/** Makes cgroups, the process, its ids. It does nothing yet. */
int launch_spawn(struct launch *l, const struct launch_options *o, struct err *e);

/** Lets it build the container: back when the command waits or, where it does not wait, runs. */
int launch_build(struct launch *l, const struct launch_options *o, struct err *e);

/** Kills what is there of it and waits for that. */
void launch_abandon(struct launch *l);
void launch_free(struct launch *l);

/** Hard limits are raised from out here, where we may be root; the process sets the limits themselves. */
void launch_raise_limits(const struct spec *s, pid_t pid);

/** Writes the pid to `path`; NULL is fine. */
int launch_write_pid(const char *path, pid_t pid, struct err *e);

#endif
