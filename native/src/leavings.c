/** A volume belongs to its users: files in its folder `users`. It goes by taking that folder away, which works only while it is empty. */
#include "leavings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "own.h"
#include "spawn.h"
#include "tree.h"

enum { MAX_NAME_FILE = 256 };

bool leavings_any(const struct leavings *l) { return l->names.count + l->paths.count + l->volumes.count + l->anonymous.count > 0; }

static void remove_name(const char *path, const char *id) {
  size_t length;
  OWN_MEMORY char *holder = file_read(AT_FDCWD, path, MAX_NAME_FILE, &length);
  if (holder != NULL && strcmp(holder, id) == 0) unlink(path);
}

/** -1 while somebody else has it. */
static int let_go(const char *volume, const char *id) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/users/%s", volume, id) >= (int)sizeof path) return -1;
  unlink(path);
  *strrchr(path, '/') = 0;
  return rmdir(path);
}

static void remove_volume(const char *volume, const char *id) {
  char aside[PATH_MAX];
  struct err ignored;
  const char *slash = strrchr(volume, '/');
  if (slash == NULL || let_go(volume, id) < 0) return;
  /* Out of the way under a name that says who removes it: whoever finds it when we are gone ends that. */
  if (snprintf(aside, sizeof aside, "%.*s/.gone-%d-%.8s", (int)(slash - volume), volume, (int)getpid(), slash + 1) >= (int)sizeof aside) return;
  if (rename(volume, aside) == 0) tree_remove(AT_FDCWD, aside, &ignored);
}

static int job(void *argument, const struct idmaps *maps) {
  const struct leavings *l = argument;
  struct err ignored;
  char path[PATH_MAX];
  (void)maps;
  for (int i = 0; i < l->volumes.count; i++)
    if (snprintf(path, sizeof path, "%s/users/%s", l->volumes.items[i], l->id) < (int)sizeof path) unlink(path);
  for (int i = 0; i < l->anonymous.count; i++) remove_volume(l->anonymous.items[i], l->id);
  for (int i = 0; i < l->names.count; i++) remove_name(l->names.items[i], l->id);
  for (int i = 0; i < l->paths.count; i++) tree_remove(AT_FDCWD, l->paths.items[i], &ignored);
  return 0;
}

void leavings_remove(struct leavings *l) {
  struct err ignored;
  if (leavings_any(l)) spawn_job(job, l, &ignored);
}

void leavings_free(struct leavings *l) {
  struct words *all[] = {&l->names, &l->paths, &l->volumes, &l->anonymous};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) words_free(all[i]);
}
