/**
 * What goes over attach.sock: a type byte, a little-endian u32 length, so many bytes. A length above FRAME_MOST ends the
 * connection: nothing is ever allocated because somebody claims a size.
 *   client -> monitor: 'i' stdin, 'c' close stdin, 'r' resize (u16 columns, u16 rows), 'k' signal (u8), 'd' detach,
 *                      's' start, 'f' hold the container rather than drop me, 'p' replay,
 *                      'w' tell me of its end only, 'l' this run is its last (u8: it is not removed)
 *   monitor -> client: 'h' hello (u8 terminal, u8 streams), 'o' stdout, 'e' stderr, 'p' what follows begins with the replay,
 *                      's' started, 'n' not started (i32 exit status, i32 errno, text), 'x' ended (i32 exit status)
 */
#ifndef STRATA_FRAMES_H
#define STRATA_FRAMES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEADER = 5, FRAME_MOST = 64 << 10 };

struct frame {
  char type;
  uint32_t length;
  const char *bytes; /* valid until the next inbox_fill */
};

/** What was read and not yet looked at. */
struct inbox {
  size_t at, used;
  char data[FRAME_HEADER + FRAME_MOST];
};

/** What is to be written and was not taken yet. */
struct outbox {
  char *data;
  size_t sent, used, capacity;
  bool failed; /* no memory */
};

/** One read; false at the end of the connection. */
bool inbox_fill(struct inbox *in, int fd);

/** The next whole frame, left where it is until inbox_drop: 1, 0 when there is none, -1 when it is none that we take. */
int inbox_next(const struct inbox *in, struct frame *f);
void inbox_drop(struct inbox *in, const struct frame *f);

void frame_header(char to[FRAME_HEADER], char type, size_t length);
void outbox_add(struct outbox *out, char type, const void *bytes, size_t length);
void outbox_add_raw(struct outbox *out, const void *bytes, size_t length); /* frames already */
size_t outbox_waiting(const struct outbox *out);
/** Writes what is taken without waiting; false when the connection is broken. */
bool outbox_send(struct outbox *out, int fd);
void outbox_free(struct outbox *out);

static inline uint32_t frame_u32(const char *bytes) {
  const unsigned char *b = (const unsigned char *)bytes;
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline void frame_put_u32(char *to, uint32_t value) {
  for (int i = 0; i < 4; i++) to[i] = (char)(value >> 8 * i & 255);
}

#endif
