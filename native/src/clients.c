/** The connections of clients.h; none is ever written to or read from without it being ready. */
#include "clients.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "err.h"
#include "own.h"
#include "sys.h"

int clients_listen(struct clients *c, int dir, struct err *e) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  /* A socket's path has 107 bytes; ours may lie deeper. */
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/attach.sock", dir);
  OWN_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return err_set(e, errno, "make attach.sock");
  unlinkat(dir, "attach.sock", 0); /* of a creation that died half-way */
  mode_t before = umask(0177);
  bool bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
  umask(before);
  if (!bound || listen(fd, CLIENTS_MOST) < 0) return err_set(e, errno, "make attach.sock");
  c->listener = own_give(&fd);
  return 0;
}

static void drop(struct clients *c, int at) {
  struct client *gone = c->all[at];
  close(gone->fd);
  outbox_free(&gone->out);
  free(gone);
  c->all[at] = c->all[--c->count];
}

static void let_in(struct clients *c, const char hello[2]) {
  OWN_FD fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 || c->count == CLIENTS_MOST) return;
  struct client *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL) return;
  fresh->fd = own_give(&fd);
  c->all[c->count++] = fresh;
  clients_tell(fresh, 'h', hello, 2);
}

int clients_poll(const struct clients *c, struct pollfd *polled) {
  polled[0] = (struct pollfd){c->listener, POLLIN, 0};
  for (int i = 0; i < c->count; i++) {
    short events = (short)((c->all[i]->stalled ? 0 : POLLIN) | (outbox_waiting(&c->all[i]->out) > 0 ? POLLOUT : 0));
    /* One that has hung up would be reported at once, always: not before what it left us is eaten. */
    polled[1 + i] = (struct pollfd){events == 0 ? -1 : c->all[i]->fd, events, 0};
  }
  return 1 + c->count;
}

/** What begins with `p` is all that is kept, then what comes; the client forgets what it was sent before. */
static void replay(struct clients *c, struct client *one) {
  clients_tell(one, 'p', NULL, 0);
  outbox_add_raw(&one->out, c->ring.data, c->ring.used);
}

/** False when the client is to go. */
static bool handle(struct clients *c, struct client *one, clients_handler *handler, void *monitor) {
  struct frame f;
  int found;
  while ((found = inbox_next(&one->in, &f)) == 1) {
    /* What somebody says who has had our last words is of no use, but for this one: it was said of all runs. */
    bool ours = f.type == 'f' || f.type == 'p' || f.type == 'w' || (one->leaving && f.type != 'l');
    if (f.type == 'd') return false;
    if (f.type == 'f') one->holds = true;
    if (f.type == 'w') one->waits = true;
    if (f.type == 'p') replay(c, one);
    if (outbox_waiting(&one->out) > 2 * CLIENT_BUFFER) return false; /* replay upon replay, and nothing is read */
    if (!ours && (one->stalled = !handler(monitor, one, &f))) return true;
    inbox_drop(&one->in, &f);
  }
  return found == 0;
}

/** It has all of our words: it hangs up when it has read them. Hanging up over what it still says could take them away. */
static void see_off(struct client *one) {
  if (!one->leaving || one->seen_off || outbox_waiting(&one->out) > 0) return;
  shutdown(one->fd, SHUT_WR);
  one->seen_off = true;
}

static bool serve_one(struct clients *c, struct client *one, short events, clients_handler *handler, void *monitor) {
  if (events & POLLIN) {
    if (!inbox_fill(&one->in, one->fd)) return false;
    if (!handle(c, one, handler, monitor)) return false;
  } else if (events & (POLLHUP | POLLERR | POLLNVAL)) {
    return false;
  }
  if (!outbox_send(&one->out, one->fd)) return false;
  see_off(one);
  return one->holds || outbox_waiting(&one->out) <= CLIENT_BUFFER;
}

void clients_serve(struct clients *c, const struct pollfd *polled, const char hello[2], clients_handler *handler, void *monitor) {
  for (int i = c->count - 1; i >= 0; i--)
    if (!serve_one(c, c->all[i], polled[1 + i].revents, handler, monitor)) drop(c, i);
  if (polled[0].revents != 0) let_in(c, hello);
}

void clients_go_on(struct clients *c, clients_handler *handler, void *monitor) {
  for (int i = c->count - 1; i >= 0; i--) {
    if (!c->all[i]->stalled) continue;
    c->all[i]->stalled = false;
    if (!handle(c, c->all[i], handler, monitor)) drop(c, i);
  }
}

void clients_output(struct clients *c, char type, const char *bytes, size_t length) {
  ring_add(&c->ring, type, bytes, length);
  for (int i = c->count - 1; i >= 0; i--) {
    struct client *one = c->all[i];
    if (one->waits || one->leaving) continue;
    clients_tell(one, type, bytes, length);
    if (!outbox_send(&one->out, one->fd) || (!one->holds && outbox_waiting(&one->out) > CLIENT_BUFFER)) drop(c, i);
  }
}

void clients_dismiss(struct clients *c, char type, const void *bytes, size_t length) {
  for (int i = c->count - 1; i >= 0; i--) {
    struct client *one = c->all[i];
    if (one->leaving) continue;
    clients_tell(one, type, bytes, length);
    one->leaving = true;
    one->stalled = false;
    if (!outbox_send(&one->out, one->fd)) drop(c, i);
    else see_off(one);
  }
}

void clients_answer_start(struct clients *c, const struct err *failed) {
  char bytes[8 + sizeof failed->text];
  for (int i = 0; i < c->count; i++) {
    struct client *one = c->all[i];
    if (!one->asked_to_start) continue;
    one->asked_to_start = false;
    if (failed == NULL) {
      clients_tell(one, 's', NULL, 0);
      continue;
    }
    frame_put_u32(bytes, (uint32_t)failed->status);
    frame_put_u32(bytes + 4, (uint32_t)failed->number);
    size_t length = strlen(failed->text);
    memcpy(bytes + 8, failed->text, length);
    clients_tell(one, 'n', bytes, 8 + length);
  }
}

void clients_tell(struct client *c, char type, const void *bytes, size_t length) { outbox_add(&c->out, type, bytes, length); }

bool clients_hold(const struct clients *c) {
  for (int i = 0; i < c->count; i++)
    if (c->all[i]->holds && !c->all[i]->leaving && outbox_waiting(&c->all[i]->out) > CLIENT_BUFFER / 4) return true;
  return false;
}

void clients_finish(struct clients *c, int milliseconds) {
  struct pollfd polled[CLIENTS_MOST];
  char ignored[4096];
  own_close(&c->listener);
  c->listener = -1;
  while (c->count > 0) {
    bool held = false;
    for (int i = 0; i < c->count; i++) {
      polled[i] = (struct pollfd){c->all[i]->fd, (short)(POLLIN | (outbox_waiting(&c->all[i]->out) > 0 ? POLLOUT : 0)), 0};
      held |= c->all[i]->holds;
    }
    if (poll(polled, (nfds_t)c->count, held ? -1 : milliseconds) == 0) break;
    for (int i = c->count - 1; i >= 0; i--) {
      struct client *one = c->all[i];
      /* What it still says is of no use to anybody, but must not lie there: closing over it would take our last words away. */
      bool gone = polled[i].revents & POLLIN ? read(one->fd, ignored, sizeof ignored) <= 0 : (polled[i].revents & (POLLHUP | POLLERR)) != 0;
      if (!gone && outbox_send(&one->out, one->fd) && outbox_waiting(&one->out) > 0) continue;
      if (!gone && outbox_waiting(&one->out) == 0) shutdown(one->fd, SHUT_WR);
      drop(c, i);
    }
  }
  while (c->count > 0) drop(c, 0);
}
