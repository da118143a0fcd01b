/** mkdir, flock, and the races between those that make and those that remove a container of the same name. */
#include "home.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "own.h"
#include "process.h"
#include "sys.h"
#include "tree.h"

bool home_id(const char *id) {
  if (*id == 0 || *id == '.' || strlen(id) > ID_LENGTH) return false;
  return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")] == 0;
}

int home_root(const char *given, char root[PATH_MAX], struct err *e) {
  const char *strata = getenv("STRATA_ROOT"), *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
  int length;
  if (given != NULL) length = snprintf(root, PATH_MAX, "%s", given);
  else if (strata != NULL && *strata != 0) length = snprintf(root, PATH_MAX, "%s/state", strata);
  else if (geteuid() == 0) length = snprintf(root, PATH_MAX, "/var/lib/strata/state");
  else if (data != NULL && *data == '/') length = snprintf(root, PATH_MAX, "%s/strata/state", data);
  else if (user != NULL && *user == '/') length = snprintf(root, PATH_MAX, "%s/.local/share/strata/state", user);
  else return err_set(e, 0, "no place for the state of containers: give --root");
  return length >= PATH_MAX ? err_set(e, ENAMETOOLONG, "the state's directory") : 0;
}

/** The root itself is closed to others; what lies above it is made as usual. */
static int make_root(const char *root, struct err *e) {
  char path[PATH_MAX];
  size_t length = strlen(root);
  memcpy(path, root, length + 1);
  for (size_t i = 1; i < length; i++) {
    if (path[i] != '/') continue;
    path[i] = 0;
    if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES) return err_set(e, errno, "make %s", path);
    path[i] = '/';
  }
  return mkdir(path, 0700) < 0 && errno != EEXIST ? err_set(e, errno, "make %s", path) : 0;
}

static int path_of(const struct home *h, char path[PATH_MAX], struct err *e) {
  return snprintf(path, PATH_MAX, "%s/%s", h->root, h->id) >= PATH_MAX ? err_set(e, ENAMETOOLONG, "the state's directory") : 0;
}

static void empty(struct home *h, const char *root, const char *id) {
  h->id = id;
  h->dir = h->lock = -1;
  snprintf(h->root, sizeof h->root, "%s", root);
}

/** Whether the directory we hold is still the one that has the name. */
static bool still_there(const struct home *h, const char *path) {
  struct stat held, named;
  return fstat(h->dir, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

int home_open(struct home *h, const char *root, const char *id, struct err *e) {
  char path[PATH_MAX];
  empty(h, root, id);
  if (!home_id(id)) return err_set(e, 0, "there is no container %.100s: that is no container id", id);
  if (path_of(h, path, e) < 0) return -1;
  h->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (h->dir >= 0) return 0;
  if (errno != ENOENT) return err_set(e, errno, "open %s", path);
  err_set(e, 0, "there is no container %s", id);
  return e->number = ENOENT, -1;
}

static int try_lock(struct home *h) {
  OWN_FD lock = openat(h->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) return -1;
  h->lock = own_give(&lock);
  return 0;
}

int home_claim(struct home *h, const char *root, const char *id, struct err *e) {
  char path[PATH_MAX];
  empty(h, root, id);
  if (path_of(h, path, e) < 0 || make_root(root, e) < 0) return -1;
  for (int tries = 0; tries < 100; tries++, home_close(h)) {
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return err_set(e, errno, "make %s", path);
    h->dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (h->dir < 0) continue;
    if (try_lock(h) < 0 && errno == EWOULDBLOCK) break;
    if (h->lock < 0 || !still_there(h, path)) continue; /* removed meanwhile by somebody else */
    if (faccessat(h->dir, "state.json", F_OK, 0) < 0) return 0;
    break;
  }
  home_close(h);
  err_set(e, 0, "a container %s is there already", id);
  return e->number = EEXIST, -1;
}

int home_lock(struct home *h, int milliseconds, struct err *e) {
  const struct timespec nap = {0, 2000000};
  for (int waited = 0; try_lock(h) < 0; waited += 2) {
    if (errno != EWOULDBLOCK) return err_set(e, errno, "the lock of container %s", h->id);
    if (waited >= milliseconds) return err_set(e, 0, "container %s is in the hands of another process", h->id);
    nanosleep(&nap, NULL);
  }
  return 0;
}

/** The name says who removes it. */
static bool abandoned(const char *name) {
  struct process remover;
  const char *pid = strrchr(name, '-');
  return strncmp(name, ".gone-", 6) == 0 && !(process_of((pid_t)strtol(pid + 1, NULL, 10), &remover) && process_alive(&remover));
}

/** What others began to remove and did not end: they were killed. */
static void remove_leftovers(const struct home *h) {
  struct err ignored;
  OWN_DIR root = opendir(h->root);
  for (struct dirent *entry; root != NULL && (entry = readdir(root)) != NULL;)
    if (abandoned(entry->d_name)) tree_remove(dirfd(root), entry->d_name, &ignored);
}

int home_remove(struct home *h, struct err *e) {
  char path[PATH_MAX], gone[PATH_MAX];
  if (path_of(h, path, e) < 0) return -1;
  if (!still_there(h, path)) return err_set(e, 0, "somebody else removed container %s", h->id);
  if (snprintf(gone, sizeof gone, "%s/.gone-%s-%d", h->root, h->id, (int)getpid()) >= PATH_MAX) return err_set(e, ENAMETOOLONG, "%s", path);
  if (rename(path, gone) < 0) return err_set(e, errno, "remove %s", path);
  int result = tree_remove(AT_FDCWD, gone, e);
  remove_leftovers(h);
  return result;
}

void home_close(struct home *h) {
  own_close(&h->dir);
  own_close(&h->lock);
  h->dir = h->lock = -1;
}
