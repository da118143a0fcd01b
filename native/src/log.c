/** Cuts into lines, writes them whole, renames when a file is large enough. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "own.h"
#include "utf8.h"

static const char *const stream_names[2] = {"stdout", "stderr"};

static int open_file(struct log *l) {
  struct stat st;
  l->fd = openat(l->dir, l->name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
  if (l->fd < 0 || fstat(l->fd, &st) < 0) return -1;
  l->size = st.st_size;
  if (!S_ISREG(st.st_mode)) l->max_bytes = 0; /* /dev/null is not renamed */
  return 0;
}

int log_open(struct log *l, const struct log_options *o, struct err *e) {
  char folder[PATH_MAX];
  *l = (struct log){.dir = -1, .fd = -1, .max_bytes = o->max_bytes, .max_files = o->max_files};
  if (o->path == NULL) return 0;
  const char *slash = strrchr(o->path, '/'), *name = slash == NULL ? o->path : slash + 1;
  size_t length = slash == NULL ? 0 : (size_t)(slash - o->path);
  if (length >= sizeof folder || *name == 0 || strlen(name) > LOG_NAME - 8) return err_set(e, EINVAL, "log %s", o->path);
  memcpy(folder, o->path, length);
  folder[length] = 0;
  snprintf(l->name, sizeof l->name, "%s", name);
  l->dir = open(slash == NULL ? "." : length == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return l->dir < 0 || open_file(l) < 0 ? err_set(e, errno, "log %s", o->path) : 0;
}

static void numbered(const struct log *l, int64_t number, char to[LOG_NAME]) {
  if (number == 0) snprintf(to, LOG_NAME, "%s", l->name);
  else snprintf(to, LOG_NAME, "%s.%d", l->name, (int)number);
}

/** log -> log.1 -> log.2 ..., the oldest goes. A name that can not be moved costs its lines, nothing else. */
static void rotate(struct log *l) {
  char from[LOG_NAME], to[LOG_NAME];
  numbered(l, l->max_files - 1, to);
  unlinkat(l->dir, to, 0);
  for (int64_t i = l->max_files - 1; i > 0; i--) {
    numbered(l, i - 1, from);
    numbered(l, i, to);
    renameat(l->dir, from, l->dir, to);
  }
  own_close(&l->fd);
  l->fd = -1;
  open_file(l);
}

/** The first `length` bytes of what waits, which are whole lines. Those that a full disk does not take are lost as wholes. */
static void write_lines(struct log *l, size_t length) {
  struct out *o = &l->lines;
  size_t at = 0;
  if (length == 0) return;
  for (ssize_t wrote = 0; at < length && (wrote >= 0 || errno == EINTR);) {
    wrote = write(l->fd, o->data + at, length - at);
    if (wrote > 0) at += (size_t)wrote;
  }
  size_t whole = at;
  while (at < length && whole > 0 && o->data[whole - 1] != '\n') whole--;
  for (size_t i = whole; at < length && i < length; i++) l->lost += o->data[i] == '\n';
  l->size += (int64_t)whole;
  if (whole < at && ftruncate(l->fd, l->size) < 0) l->size += (int64_t)(at - whole); /* half a line stays where even this fails */
  memmove(o->data, o->data + length, o->length - length);
  o->length -= length;
}

/** One more line waits; where it would not fit into the file any more, those before it are written and the file is changed. */
static void add_line(struct log *l, int stream, const char *bytes, size_t length, const char *time) {
  size_t before = l->lines.length;
  out_open(&l->lines, '{');
  out_key(&l->lines, "log");
  out_string(&l->lines, bytes, length);
  out_text(&l->lines, "stream", stream_names[stream]);
  out_text(&l->lines, "time", time);
  out_close(&l->lines, '}');
  out_line(&l->lines);
  if (l->lines.failed) { /* no memory */
    l->lines.failed = false;
    l->lines.length = before;
    l->lost++;
  }
  if (l->max_bytes == 0 || l->size + (int64_t)before == 0 || l->size + (int64_t)l->lines.length <= l->max_bytes) return;
  write_lines(l, before);
  rotate(l);
}

/** Where to cut a line that is too long: not inside a character, where there are any. */
static size_t whole_characters(const char *bytes, size_t length) {
  size_t back = 0;
  while (back < 3 && back < length && ((unsigned char)bytes[length - 1 - back] & 0xc0) == 0x80) back++;
  if (back == length || ((unsigned char)bytes[length - 1 - back] & 0xc0) != 0xc0) return length;
  return utf8_width((const unsigned char *)bytes + length - 1 - back, back + 1) == 0 ? length - 1 - back : length;
}

void log_add(struct log *l, int stream, const char *bytes, size_t length) {
  char time[STAMP];
  /* Also one that could not be opened anew when it was its turn: there may be room again. */
  if (l->fd < 0 && (l->dir < 0 || open_file(l) < 0)) return;
  stamp_now(time);
  while (length > 0) {
    size_t *used = &l->streams[stream].used, room = LOG_PIECE - *used;
    char *data = l->streams[stream].data;
    const char *end = memchr(bytes, '\n', length < room ? length : room);
    size_t taken = end != NULL ? (size_t)(end - bytes) + 1 : length < room ? length : room;
    memcpy(data + *used, bytes, taken);
    *used += taken;
    bytes += taken;
    length -= taken;
    if (end == NULL && *used < LOG_PIECE) break;
    size_t cut = end != NULL ? *used : whole_characters(data, *used);
    add_line(l, stream, data, cut, time);
    memmove(data, data + cut, *used - cut);
    *used -= cut;
  }
  write_lines(l, l->lines.length);
}

void log_finish(struct log *l) {
  char time[STAMP];
  stamp_now(time);
  for (int stream = 0; l->fd >= 0 && stream < 2; stream++) {
    if (l->streams[stream].used == 0) continue;
    add_line(l, stream, l->streams[stream].data, l->streams[stream].used, time);
    write_lines(l, l->lines.length);
    l->streams[stream].used = 0;
  }
  own_close(&l->fd);
  own_close(&l->dir);
  l->fd = l->dir = -1;
  out_free(&l->lines);
}
