/** Buffers of frames.h. */
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool inbox_fill(struct inbox *in, int fd) {
  if (in->at > 0) memmove(in->data, in->data + in->at, in->used - in->at);
  in->used -= in->at;
  in->at = 0;
  ssize_t got = read(fd, in->data + in->used, sizeof in->data - in->used);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  in->used += (size_t)got;
  return got > 0;
}

int inbox_next(const struct inbox *in, struct frame *f) {
  size_t left = in->used - in->at;
  if (left < FRAME_HEADER) return 0;
  const char *header = in->data + in->at;
  *f = (struct frame){.type = header[0], .length = frame_u32(header + 1), .bytes = header + FRAME_HEADER};
  if (f->length > FRAME_MOST) return -1;
  return left - FRAME_HEADER >= f->length ? 1 : 0;
}

void inbox_drop(struct inbox *in, const struct frame *f) { in->at += FRAME_HEADER + f->length; }

void frame_header(char to[FRAME_HEADER], char type, size_t length) {
  to[0] = type;
  frame_put_u32(to + 1, (uint32_t)length);
}

void outbox_add_raw(struct outbox *out, const void *bytes, size_t length) {
  if (out->failed || length == 0) return;
  if (out->sent > 0) {
    memmove(out->data, out->data + out->sent, out->used - out->sent);
    out->used -= out->sent;
    out->sent = 0;
  }
  if (out->capacity - out->used < length) {
    size_t wanted = (out->used + length) * 2;
    char *grown = realloc(out->data, wanted);
    if (grown == NULL) {
      out->failed = true;
      return;
    }
    out->data = grown;
    out->capacity = wanted;
  }
  memcpy(out->data + out->used, bytes, length);
  out->used += length;
}

void outbox_add(struct outbox *out, char type, const void *bytes, size_t length) {
  char header[FRAME_HEADER];
  frame_header(header, type, length);
  outbox_add_raw(out, header, sizeof header);
  outbox_add_raw(out, bytes, length);
}

size_t outbox_waiting(const struct outbox *out) { return out->used - out->sent; }

bool outbox_send(struct outbox *out, int fd) {
  while (out->sent < out->used) {
    ssize_t sent = send(fd, out->data + out->sent, out->used - out->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN;
    out->sent += (size_t)sent;
  }
  out->sent = out->used = 0;
  return !out->failed;
}

void outbox_free(struct outbox *out) {
  free(out->data);
  *out = (struct outbox){0};
}
