/** Files of net_book.h. Only root may read them: they name files that root writes. */
#include "net_book.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "netlink.h"
#include "own.h"

enum { MAX_ENTRY = 1 << 20 };

static int path_of(char path[64]) {
  struct stat space;
  char boot[BOOT_ID];
  process_boot(boot);
  if (stat("/proc/self/ns/net", &space) < 0) return -1;
  snprintf(path, 64, "/run/strata/net-%lu-%.8s", (unsigned long)space.st_ino, boot);
  return 0;
}

bool book_exists(void) {
  char path[64];
  return path_of(path) == 0 && access(path, F_OK) == 0;
}

/** Whoever had it before us may have burnt the book: then this is a lock on nothing. */
static int take_lock(struct book *b, struct err *e) {
  for (int tries = 0; tries < 1000; tries++) {
    struct stat st;
    if (mkdir("/run/strata", 0700) < 0 && errno != EEXIST) return err_set(e, errno, "make /run/strata");
    if (mkdir(b->path, 0700) < 0 && errno != EEXIST && errno != ENOENT) return err_set(e, errno, "make %s", b->path);
    b->dir = open(b->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (b->dir >= 0) b->lock = openat(b->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (b->lock >= 0) {
      while (flock(b->lock, LOCK_EX) < 0 && errno == EINTR) continue;
      if (fstat(b->lock, &st) == 0 && st.st_nlink > 0) return 0;
    }
    own_close(&b->dir);
    own_close(&b->lock);
    b->dir = b->lock = -1;
  }
  return err_set(e, errno, "lock %s", b->path);
}

static void entry_free(struct entry *x) {
  list_free(&x->own);
  list_free(&x->names);
  list_free(&x->gateway);
  json_free(&x->document);
}

static int read_entry(struct book *b, int number) {
  struct err ignored;
  struct entry x = {.number = number};
  char name[16];
  size_t length;
  int64_t pid = 0;
  snprintf(name, sizeof name, "c-%d", number);
  OWN_MEMORY char *text = file_read(b->dir, name, MAX_ENTRY, &length);
  if (text == NULL) return -1;
  bool good = json_read(&x.document, text, length, &ignored) == 0 && json_root(&x.document)->type == JSON_OBJECT;
  struct pick p = {.d = &x.document, .object = good ? json_root(&x.document) : NULL, .name = "book", .e = &ignored};
  if (good && pick_integer(&p, "pid", 1, INT32_MAX, &pid) == 0 && pick_integer(&p, "start", 0, INT64_MAX, &x.process.start) == 0 &&
      pick_text(&p, "hosts", &x.hosts) == 0 && pick_list(&p, "own", &x.own) == 0 && pick_list(&p, "names", &x.names) == 0 &&
      pick_list(&p, "gateway", &x.gateway) == 0 && pick_array(&p, "ports", &x.ports) == 0)
    x.process.pid = (pid_t)pid;
  /* One that is damaged has no process: it is swept away. */
  b->entries[b->count++] = x;
  return 0;
}

static int by_number(const void *a, const void *b) { return ((const struct entry *)a)->number - ((const struct entry *)b)->number; }

static int read_entries(struct book *b, struct err *e) {
  b->entries = calloc(BOOK_MOST + 2, sizeof *b->entries);
  if (b->entries == NULL) return err_set(e, ENOMEM, "%s", b->path);
  OWN_DIR dir = opendir(b->path);
  if (dir == NULL) return err_set(e, errno, "read %s", b->path);
  for (struct dirent *one; (one = readdir(dir)) != NULL && b->count < BOOK_MOST;) {
    char *end;
    long number = strncmp(one->d_name, "c-", 2) == 0 ? strtol(one->d_name + 2, &end, 10) : 0;
    if (number > 1 && number <= BOOK_MOST && *end == 0) read_entry(b, (int)number);
  }
  qsort(b->entries, (size_t)b->count, sizeof *b->entries, by_number);
  return 0;
}

int book_open(struct book *b, struct err *e) {
  *b = (struct book){.nl = -1, .dir = -1, .lock = -1};
  if (path_of(b->path) < 0) return err_set(e, errno, "look at our network namespace");
  if (take_lock(b, e) < 0 || read_entries(b, e) < 0) return -1;
  b->nl = nl_open(NL_ROUTE);
  return b->nl < 0 ? err_set(e, errno, "open a netlink socket") : 0;
}

void book_close(struct book *b) {
  for (int i = 0; i < b->count; i++) entry_free(&b->entries[i]);
  free(b->entries);
  own_close(&b->nl);
  own_close(&b->dir);
  own_close(&b->lock);
  *b = (struct book){.nl = -1, .dir = -1, .lock = -1};
}

static void put_list(struct out *o, const char *key, const struct list *l) {
  out_key(o, key);
  out_open(o, '[');
  for (uint32_t i = 0; i < l->count; i++) out_string(o, l->items[i], strlen(l->items[i]));
  out_close(o, ']');
}

int book_add(struct book *b, int number, const struct network_spec *s, const struct process *p, const struct bound *ports, int count, struct err *e) {
  struct out o = {0};
  char name[16];
  snprintf(name, sizeof name, "c-%d", number);
  out_open(&o, '{');
  out_number(&o, "pid", p->pid);
  out_number(&o, "start", p->start);
  if (s->hosts != NULL) out_text(&o, "hosts", s->hosts);
  put_list(&o, "own", &s->own);
  put_list(&o, "names", &s->names);
  put_list(&o, "gateway", &s->gateway);
  out_key(&o, "ports");
  out_open(&o, '[');
  for (int i = 0; i < count; i++) {
    out_open(&o, '{');
    out_text(&o, "address", ports[i].address);
    out_number(&o, "host", ports[i].host);
    out_number(&o, "inside", ports[i].inside);
    out_bool(&o, "udp", ports[i].udp);
    out_close(&o, '}');
  }
  out_close(&o, ']');
  out_close(&o, '}');
  if (file_replace(b->dir, name, &o, false, e) < 0) return -1;
  if (read_entry(b, number) < 0) return err_set(e, errno, "read %s/%s", b->path, name);
  qsort(b->entries, (size_t)b->count, sizeof *b->entries, by_number);
  return 0;
}

void book_drop(struct book *b, int at) {
  char name[16];
  snprintf(name, sizeof name, "c-%d", b->entries[at].number);
  unlinkat(b->dir, name, 0);
  entry_free(&b->entries[at]);
  b->count--;
  memmove(&b->entries[at], &b->entries[at + 1], (size_t)(b->count - at) * sizeof *b->entries);
}

void book_burn(struct book *b) {
  OWN_DIR dir = opendir(b->path);
  for (struct dirent *one; dir != NULL && (one = readdir(dir)) != NULL;)
    if (one->d_name[0] != '.' && strcmp(one->d_name, "lock") != 0) unlinkat(b->dir, one->d_name, 0);
  unlinkat(b->dir, "lock", 0);
  rmdir(b->path);
  rmdir("/run/strata");
}
