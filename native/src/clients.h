/**
 * Who is attached to a container: connections to attach.sock. Each has a bounded buffer; one that does not take what it is
 * sent is dropped, and the container never notices. Only one that asked for it ('f': whoever ran the container and must
 * have all of its output) holds the container's output back instead.
 */
#ifndef STRATA_CLIENTS_H
#define STRATA_CLIENTS_H
#include <poll.h>

#include "err.h"
#include "frames.h"
#include "ring.h"

enum { CLIENTS_MOST = 64, CLIENT_BUFFER = 1 << 20 };

struct client {
  int fd;
  bool holds, asked_to_start, stalled; /* stalled: its next frame waits for room in the container's stdin */
  bool waits, leaving, seen_off;             /* waits: it wants to hear of the end only; leaving: it has heard of it, and goes when that is out */
  struct inbox in;
  struct outbox out;
};

struct clients {
  int listener; /* -1: nobody can come any more */
  int count;
  struct client *all[CLIENTS_MOST];
  struct ring ring;
};

/** What the monitor does with a frame; false leaves it there and stalls the client until clients_go_on. */
typedef bool clients_handler(void *monitor, struct client *c, const struct frame *f);

/** Makes attach.sock in the directory; paths of any length are fine. */
int clients_listen(struct clients *c, int dir, struct err *e);

/** Fills `polled`, which has room for 1 + CLIENTS_MOST; gives how many. */
int clients_poll(const struct clients *c, struct pollfd *polled);
/** Reads and writes what can be, drops who is gone, lets in who came (and says hello). */
void clients_serve(struct clients *c, const struct pollfd *polled, const char hello[2], clients_handler *handler, void *monitor);
void clients_go_on(struct clients *c, clients_handler *handler, void *monitor);

/** To everybody, and into the ring. */
void clients_output(struct clients *c, char type, const char *bytes, size_t length);
void clients_tell(struct client *c, char type, const void *bytes, size_t length);

/** To those who asked for it: it runs, or why it does not. */
void clients_answer_start(struct clients *c, const struct err *failed);

/** The last words to all who are there now; who comes later hears of another run. */
void clients_dismiss(struct clients *c, char type, const void *bytes, size_t length);

/** True while somebody who must have everything has not taken enough yet. */
bool clients_hold(const struct clients *c);

/** Sends what is left, to those who take it within so many milliseconds and without limit to those who must have it; closes. */
void clients_finish(struct clients *c, int milliseconds);

#endif
