/**
 * Changes files faster than a shell does, for the tests of `diff` and `watch`.
 *   storm random SEED COUNT      so many operations on few names, so that they meet each other
 *   storm burst COUNT            so many files made, renamed, and half of them removed, in 100 directories
 *   storm map FILE               writes to a file through memory, says "mapped", and writes again for each line it reads
 *   storm open FILE              opens it for writing and writes nothing
 *   storm note FILE, hole FILE, swap FILE FILE, capable FILE
 *                                an attribute of its own, a byte a MiB further on, two names exchanged, a file capability
 *   storm tick COUNT             a file every 60 ms, each with the time of its making (ns since 1970) as its name
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static uint64_t seed;

static unsigned pick(unsigned of) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (unsigned)(seed >> 11) % of;
}

static const char *any_path(char path[64]) {
  static const char *const names[] = {"a", "b", "c", "data", "deep"};
  unsigned depth = 1 + pick(3);
  path[0] = 0;
  for (unsigned i = 0; i < depth; i++) strcat(strcat(path, i == 0 ? "/storm/" : "/"), names[pick(5)]);
  return path;
}

static void fill_file(const char *path, int flags, size_t length) {
  char text[4096];
  memset(text, 'x', sizeof text);
  int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (fd >= 0 && length > 0) (void)!write(fd, text, length);
  if (fd >= 0) close(fd);
}

static void one(void) {
  char first[64], second[64], command[160];
  any_path(first);
  any_path(second);
  struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000 + pick(3)}};
  switch (pick(18)) {
    case 0: case 1: fill_file(first, O_CREAT | O_WRONLY, pick(3) * 100); break;
    case 2: fill_file(first, O_WRONLY | O_APPEND, 10); break;
    case 3: fill_file(first, O_WRONLY | O_TRUNC, 0); break;
    case 4: fill_file(first, O_RDWR, 0); break;
    case 5: case 6: mkdir(first, 0755); break;
    case 7: unlink(first); break;
    case 8: rmdir(first); break;
    case 9: case 10: rename(first, second); break;
    case 11: link(first, second); break;
    case 12: symlink(second, first); break;
    case 13: chmod(first, 0600 + pick(2) * 0155); break;
    case 14: mkfifo(first, 0644); break;
    case 15: utimensat(AT_FDCWD, first, times, AT_SYMLINK_NOFOLLOW); break;
    case 16: lsetxattr(first, "user.note", "x", 1, 0); break;
    case 17:
      if (pick(4) > 0) break;
      snprintf(command, sizeof command, "rm -r %s 2>/dev/null", first);
      (void)!system(command);
  }
}

static void burst(int count) {
  char path[64], other[64];
  for (int i = 0; i < 100; i++) {
    snprintf(path, sizeof path, "/burst/%d", i);
    mkdir("/burst", 0755);
    mkdir(path, 0755);
  }
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof path, "/burst/%d/f%d", i % 100, i);
    fill_file(path, O_CREAT | O_WRONLY, 5);
  }
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof path, "/burst/%d/f%d", i % 100, i);
    snprintf(other, sizeof other, "/burst/%d/g%d", (i + 1) % 100, i);
    rename(path, other);
  }
  for (int i = 0; i < count; i += 2) {
    snprintf(other, sizeof other, "/burst/%d/g%d", (i + 1) % 100, i);
    unlink(other);
  }
}

static void map(const char *path) {
  int fd = open(path, O_RDWR);
  char line[16], *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || memory == MAP_FAILED) exit(1);
  close(fd);
  puts("mapped");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    memory[0]++;
    msync(memory, 4096, MS_SYNC);
    puts("written");
    fflush(stdout);
  }
}

int main(int argc, char **argv) {
  const char *verb = argc > 1 ? argv[1] : "";
  int number = argc > 2 ? atoi(argv[2]) : 0;
  char path[64];
  if (strcmp(verb, "random") == 0) {
    seed = (uint64_t)number * 2654435761u + 88172645463325252u;
    for (int i = 0; i < atoi(argv[3]); i++) one();
  } else if (strcmp(verb, "burst") == 0) {
    burst(number);
  } else if (strcmp(verb, "map") == 0) {
    map(argv[2]);
  } else if (strcmp(verb, "open") == 0) {
    fill_file(argv[2], O_RDWR, 0);
  } else if (strcmp(verb, "note") == 0) {
    return lsetxattr(argv[2], "user.note", "x", 1, 0) != 0;
  } else if (strcmp(verb, "hole") == 0) {
    int fd = open(argv[2], O_RDWR | O_CREAT, 0644);
    return pwrite(fd, "x", 1, 1 << 20) != 1;
  } else if (strcmp(verb, "swap") == 0) {
    return renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) != 0;
  } else if (strcmp(verb, "capable") == 0) {
    const unsigned char value[20] = {1, 0, 0, 2, 0, 4};
    return setxattr(argv[2], "security.capability", value, sizeof value, 0) != 0;
  } else if (strcmp(verb, "tick") == 0) {
    for (int i = 0; i < number; i++) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      snprintf(path, sizeof path, "/tick-%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
      fill_file(path, O_CREAT | O_WRONLY, 1);
      usleep(60000);
    }
  } else {
    return 2;
  }
  return 0;
}
