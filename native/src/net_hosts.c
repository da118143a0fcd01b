/** The container may write to its own file: nothing that stands in it is trusted, and no more than a little is read. */
#include "net_hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own.h"

enum { MOST_READ = 1 << 16 };

struct text {
  char *data;
  size_t length;
  FILE *file;
};

static void line(FILE *to, uint32_t address, const struct list *names) {
  if (names->count == 0 || address == 0) return;
  fprintf(to, "%u.%u.%u.%u\t", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
  for (uint32_t i = 0; i < names->count; i++) fprintf(to, "%s%s", i == 0 ? "" : " ", names->items[i]);
  fputc('\n', to);
}

/** One write, so that who looks a name up sees the old lines or the new ones. */
static void rewrite(const char *path, const char *tail, size_t length) {
  static char bytes[MOST_READ];
  struct stat st;
  OWN_FD fd = path == NULL ? -1 : open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return;
  ssize_t got = pread(fd, bytes, sizeof bytes, 0);
  const char *mark = got <= 0 ? NULL : memmem(bytes, (size_t)got, HOSTS_MARK, strlen(HOSTS_MARK));
  if (mark == NULL) return;
  off_t at = mark - bytes + (off_t)strlen(HOSTS_MARK);
  if (pwrite(fd, tail, length, at) == (ssize_t)length && ftruncate(fd, at + (off_t)length) < 0) return;
}

static bool begin(struct text *t) {
  *t = (struct text){0};
  t->file = open_memstream(&t->data, &t->length);
  return t->file != NULL;
}

static void end(struct text *t, const char *path) {
  if (fclose(t->file) == 0) rewrite(path, t->data, t->length);
  free(t->data);
}

void hosts_write_all(const struct book *b) {
  uint32_t network = b->address & ~(((uint32_t)1 << (32 - BOOK_PREFIX)) - 1);
  for (int i = 0; i < b->count; i++) {
    struct text t;
    if (b->entries[i].hosts == NULL || !begin(&t)) continue;
    line(t.file, network + (uint32_t)b->entries[i].number, &b->entries[i].own);
    line(t.file, b->address, &b->entries[i].gateway);
    for (int k = 0; k < b->count; k++)
      if (k != i) line(t.file, network + (uint32_t)b->entries[k].number, &b->entries[k].names);
    end(&t, b->entries[i].hosts);
  }
}

void hosts_write_one(const struct network_spec *s, uint32_t address, uint32_t gateway) {
  struct text t;
  if (s->hosts == NULL || !begin(&t)) return;
  line(t.file, address, &s->own);
  line(t.file, gateway, &s->gateway);
  end(&t, s->hosts);
}
