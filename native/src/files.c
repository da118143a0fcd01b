/** tmp, fdatasync, rename, fsync of the directory; and bounded reading. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "own.h"
#include "sys.h"

/** Whoever writes holds the container's lock: nobody else uses this name. Not emptied, because what it has may be all there is. */
static int open_new(int dir, const char *name, char fresh[80]) {
  snprintf(fresh, 80, "%.64s.new", name);
  return openat(dir, fresh, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int file_reserve(int dir, const char *name, struct err *e) {
  char fresh[80], blank[512];
  OWN_FD fd = open_new(dir, name, fresh);
  memset(blank, ' ', sizeof blank);
  return fd < 0 || write(fd, blank, sizeof blank) != sizeof blank ? err_set(e, errno, "reserve room for %s", name) : 0;
}

int file_replace(int dir, const char *name, struct out *o, bool durable, struct err *e) {
  char fresh[80];
  OWN_FD fd = open_new(dir, name, fresh);
  if (fd < 0) {
    out_free(o);
    return err_set(e, errno, "write %s", name);
  }
  int result = out_flush(o, fd);
  out_free(o);
  off_t end = lseek(fd, 0, SEEK_CUR);
  if (result < 0 || end < 0 || ftruncate(fd, end) < 0 || (durable && fdatasync(fd) < 0) || renameat(dir, fresh, dir, name) < 0) {
    int number = errno;
    unlinkat(dir, fresh, 0);
    return err_set(e, number, "write %s", name);
  }
  if (durable) fsync(dir);
  return 0;
}

int file_copy(int dir, const char *name, const char *bytes, size_t length, struct err *e) {
  OWN_FD fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return err_set(e, errno, "write %s", name);
  for (size_t at = 0; at < length;) {
    ssize_t wrote = write(fd, bytes + at, length - at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return err_set(e, errno, "write %s", name);
    at += (size_t)wrote;
  }
  return 0;
}

char *file_read(int dir, const char *name, size_t most, size_t *length) {
  OWN_FD fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) return NULL;
  if (!S_ISREG(st.st_mode) || st.st_size > (off_t)most) return errno = EFBIG, NULL;
  char *text = malloc((size_t)st.st_size + 1);
  size_t used = 0;
  if (text == NULL) return NULL;
  for (ssize_t got; used < (size_t)st.st_size && (got = read(fd, text + used, (size_t)st.st_size - used)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      free(text);
      return NULL;
    }
    used += (size_t)got;
  }
  text[used] = 0;
  *length = used;
  return text;
}

void stamp_of(const struct timespec *time, char text[STAMP]) {
  struct tm parts;
  gmtime_r(&time->tv_sec, &parts);
  size_t used = strftime(text, STAMP, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text + used, STAMP - used, ".%09ldZ", time->tv_nsec);
}

void stamp_now(char text[STAMP]) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  stamp_of(&now, text);
}
