/** cgroupfs takes a value in one write and gives a file in one read. */
#include "cgroup_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "own.h"
#include "sys.h"

int cgroup_put(int dir, const char *file, const char *text) {
  OWN_FD fd = openat(dir, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t wrote;
  while ((wrote = write(fd, text, strlen(text))) < 0 && errno == EINTR) continue;
  return wrote < 0 ? -1 : 0;
}

int cgroup_put_number(int dir, const char *file, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)number);
  return cgroup_put(dir, file, text);
}

int cgroup_get(int dir, const char *file, char *text, int capacity) {
  text[0] = 0;
  OWN_FD fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t got;
  while ((got = read(fd, text, (size_t)capacity - 1)) < 0 && errno == EINTR) continue;
  if (got < 0) return -1;
  if (got > 0 && text[got - 1] == '\n') got--;
  text[got] = 0;
  return 0;
}

int64_t cgroup_get_number(int dir, const char *file, const char *key) {
  char text[1024];
  if (cgroup_get(dir, file, text, sizeof text) < 0) return -1;
  size_t length = strlen(key);
  for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (length == 0) return strtoll(line, NULL, 10);
    if (strncmp(line, key, length) == 0 && line[length] == ' ') return strtoll(line + length, NULL, 10);
  }
  return -1;
}

bool cgroup_has_word(int dir, const char *file, const char *word) {
  char text[1024];
  if (cgroup_get(dir, file, text, sizeof text) < 0) return false;
  size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)) != NULL; at += length)
    if ((at == text || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ')) return true;
  return false;
}
