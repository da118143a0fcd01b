/** Short conversations with a monitor. */
#include "contact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "own.h"
#include "state.h"

enum { ANSWER_SECONDS = 5 };

int contact_open(const struct home *home, struct err *e) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/attach.sock", home->dir);
  OWN_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return err_set(e, errno, "socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return own_give(&fd);
  int number = errno;
  struct state s;
  struct err ignored;
  bool known = state_read(&s, home->dir, &ignored) == 0, stopped = s.status == STATUS_STOPPED;
  state_free(&s);
  if (known && stopped) return err_set(e, 0, "container %s is stopped", home->id);
  return err_set(e, number == ENOENT ? 0 : number, "nobody watches over container %s: its monitor died", home->id);
}

int contact_send(int fd, char type, const void *bytes, size_t length, struct err *e) {
  struct outbox out = {0};
  outbox_add(&out, type, bytes, length);
  int result = out.failed ? err_set(e, ENOMEM, "tell the monitor") : 0;
  for (size_t at = 0; result == 0 && at < out.used;) {
    ssize_t sent = send(fd, out.data + at, out.used - at, MSG_NOSIGNAL);
    if (sent < 0 && errno != EINTR) result = err_set(e, errno, "tell the monitor");
    if (sent > 0) at += (size_t)sent;
  }
  outbox_free(&out);
  return result;
}

int contact_not_started(const struct frame *f, struct err *e) {
  if (f->length < 8) return err_set(e, 0, "the monitor said nothing that makes sense");
  *e = (struct err){.status = (int)frame_u32(f->bytes), .number = (int)frame_u32(f->bytes + 4)};
  size_t length = f->length - 8 < sizeof e->text - 1 ? f->length - 8 : sizeof e->text - 1;
  memcpy(e->text, f->bytes + 8, length);
  return -1;
}

int contact_start(int fd, struct err *e) {
  OWN_MEMORY struct inbox *in = calloc(1, sizeof *in);
  struct frame f;
  if (in == NULL) return err_set(e, ENOMEM, "start");
  if (contact_send(fd, 's', NULL, 0, e) < 0) return -1;
  for (;;) {
    int found = inbox_next(in, &f);
    if (found == 0 && !inbox_fill(in, fd)) return err_set(e, 0, "the container's monitor died");
    if (found < 0) return err_set(e, 0, "the monitor said nothing that makes sense");
    if (found != 1) continue;
    if (f.type == 'n') return contact_not_started(&f, e);
    inbox_drop(in, &f);
    if (f.type == 's') return 0;
    if (f.type == 'x') return err_set(e, 0, "the container ended before it was started");
  }
}

int contact_last(const struct home *home, bool keep, struct err *e) {
  char ignored[4096], kept = keep;
  struct timeval most = {.tv_sec = ANSWER_SECONDS};
  OWN_FD fd = contact_open(home, e);
  if (fd < 0 || contact_send(fd, 'w', NULL, 0, e) < 0 || contact_send(fd, 'l', &kept, 1, e) < 0 || contact_send(fd, 'd', NULL, 0, e) < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  for (ssize_t got; (got = read(fd, ignored, sizeof ignored)) != 0;)
    if (got < 0 && errno != EINTR) return errno == ECONNRESET ? 0 : err_set(e, errno, "the monitor of container %s does not answer", home->id);
  return 0;
}

int contact_wait(const struct home *home, struct err *e) {
  OWN_MEMORY struct inbox *in = calloc(1, sizeof *in);
  struct frame f;
  OWN_FD fd = in == NULL ? -1 : contact_open(home, e);
  if (fd < 0 || contact_send(fd, 'w', NULL, 0, e) < 0) return -1;
  for (int found = 0; found >= 0;) {
    while ((found = inbox_next(in, &f)) == 1) {
      inbox_drop(in, &f);
      if (f.type == 'x' && f.length == 4) return (int)frame_u32(f.bytes);
    }
    if (found == 0 && !inbox_fill(in, fd)) break;
  }
  return err_set(e, 0, "the container's monitor died");
}

int contact_start_main(const char *root, const char *id, struct err *e) {
  struct home home;
  if (home_open(&home, root, id, e) < 0) return -1;
  OWN_FD fd = contact_open(&home, e);
  int result = fd < 0 ? -1 : contact_start(fd, e);
  home_close(&home);
  return result;
}

/** 'd' is answered by the end of the connection: then the size is set. */
int contact_resize_main(const char *root, const char *id, int columns, int rows, struct err *e) {
  struct home home;
  if (home_open(&home, root, id, e) < 0) return -1;
  OWN_FD fd = contact_open(&home, e);
  home_close(&home);
  char size[4] = {(char)(columns & 255), (char)(columns >> 8), (char)(rows & 255), (char)(rows >> 8)}, ignored[4096];
  if (fd < 0 || contact_send(fd, 'r', size, sizeof size, e) < 0 || contact_send(fd, 'd', NULL, 0, e) < 0) return -1;
  for (ssize_t got; (got = read(fd, ignored, sizeof ignored)) > 0 || (got < 0 && errno == EINTR);) continue;
  return 0;
}
