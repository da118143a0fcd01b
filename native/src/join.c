/** /proc/PID/ns and one setns by pidfd (Linux 5.8): no path of /proc is opened that could be another process's by then. */
#include "join.h"

#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own.h"
#include "sys.h"

static const struct { const char *name; int flag; } kinds[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS}, {"pid", CLONE_NEWPID}, {"net", CLONE_NEWNET},
                                                               {"ipc", CLONE_NEWIPC},   {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP_}};

static int read_map(struct idmap *map, pid_t pid, const char *name, struct err *e) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  FILE *file = fopen(path, "re");
  if (file == NULL) return err_set(e, errno, "read %s", path);
  unsigned inside, outside, count;
  map->count = 0;
  while (map->count < IDMAP_MAX && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
    map->ranges[map->count++] = (struct idrange){inside, outside, count};
  fclose(file);
  return 0;
}

static int compare(struct joining *j, pid_t pid, struct err *e) {
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    struct stat ours, theirs;
    char path[48];
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
    if (stat(path, &ours) < 0) continue; /* a kernel without that kind */
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kinds[i].name);
    if (stat(path, &theirs) < 0) return err_set(e, errno, "look at the container's namespaces");
    if (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev) j->namespaces |= kinds[i].flag;
  }
  return 0;
}

int join_read(struct joining *j, const struct process *process, struct err *e) {
  *j = (struct joining){.pidfd = process_open(process)};
  if (j->pidfd < 0) return err_set(e, 0, "the container is stopped");
  if (compare(j, process->pid, e) < 0) return -1;
  if ((j->namespaces & CLONE_NEWUSER) == 0) return 0;
  if (read_map(&j->maps.uid, process->pid, "uid_map", e) < 0 || read_map(&j->maps.gid, process->pid, "gid_map", e) < 0) return -1;
  j->maps.single = j->maps.gid.count == 1 && j->maps.gid.ranges[0].count == 1;
  return 0;
}

int join_enter(const struct joining *j, struct err *e) {
  if (j->namespaces == 0) return 0;
  if (setns(j->pidfd, j->namespaces) < 0) return err_set(e, errno, "enter the container");
  if ((j->namespaces & CLONE_NEWUSER) == 0) return 0;
  if (!j->maps.single && setgroups(0, NULL) < 0) return err_set(e, errno, "give up our groups");
  if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) return err_set(e, errno, "become root of the container's user namespace");
  return 0;
}
