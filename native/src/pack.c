/** Each path is found again below the upper directory's descriptor, where no link leads anywhere. */
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "out.h"
#include "own.h"
#include "spawn.h"
#include "sys.h"
#include "tar_write.h"

struct pack {
  const char *upper;
  int root;
  struct tar_writer *tar;
};

static int marker(struct pack *p, const char *path, struct err *e) {
  char name[PATH_MAX + 8];
  const char *slash = strrchr(path, '/');
  size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  snprintf(name, sizeof name, "%.*s.wh.%s", (int)folder, path, path + folder);
  return tar_write_marker(p->tar, name, e);
}

static int entry(struct pack *p, const char *path, struct err *e) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path), slash == NULL ? "." : path);
  OWN_FD parent = sys_openat2(p->root, folder, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_);
  if (parent < 0) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : err_set(e, errno, "open %.300s", folder);
  return tar_write_entry(p->tar, parent, slash == NULL ? path : slash + 1, path, e);
}

static int all(struct pack *p, struct err *e) {
  OWN_MEMORY char *line = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getdelim(&line, &room, 0, stdin)) > 0) {
    char *path = line + 1;
    while (*path == '/') path++;
    if (line[length - 1] != 0 || strchr("ACD", line[0]) == NULL || *path == 0 || strlen(path) >= PATH_MAX)
      return err_set(e, 0, "pack reads letters and paths, each ended by a NUL");
    if ((line[0] == 'D' ? marker(p, path, e) : entry(p, path, e)) < 0) return -1;
  }
  return ferror(stdin) ? err_set(e, errno, "read what to pack") : tar_write_end(p->tar, e);
}

static int job(void *argument, const struct idmaps *maps) {
  struct pack *p = argument;
  struct err e = {0};
  (void)maps;
  p->root = open(p->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  p->tar = tar_write_open(1);
  int result = p->root < 0 || p->tar == NULL ? err_set(&e, errno, "upper directory %s", p->upper) : all(p, &e);
  tar_write_close(p->tar);
  own_close(&p->root);
  if (result < 0) out_error(2, &e);
  return result < 0 ? ERR_FAILED : 0;
}

int pack_main(const char *upper, struct err *e) {
  struct pack p = {.upper = upper, .root = -1};
  return spawn_job(job, &p, e);
}
