/** Bounds of everything that comes back are checked; a message that is cut short ends the reading. */
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAMILY = 16 /* AF_NETLINK */, TYPE_ERROR = 2, TYPE_DONE = 3, REQUEST = 1, TYPE_MASK = 0x3fff, NESTED = 0x8000 };

struct address {
  uint16_t family, pad;
  uint32_t port, groups;
};

static size_t aligned(size_t length) { return (length + 3) & ~(size_t)3; }

int nl_open(int protocol) {
  struct address kernel = {.family = FAMILY};
  int fd = socket(FAMILY, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&kernel, sizeof kernel) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void nl_put_fixed(struct nl_message *m, const void *bytes, size_t length) {
  if (m->length + aligned(length) > sizeof m->bytes) {
    m->full = true;
    return;
  }
  memset(m->bytes + m->length, 0, aligned(length));
  if (length > 0) memcpy(m->bytes + m->length, bytes, length);
  m->length += aligned(length);
}

void nl_begin(struct nl_message *m, uint16_t type, uint16_t flags, const void *fixed, size_t length) {
  struct nl_header header = {.type = type, .flags = (uint16_t)(flags | REQUEST)};
  m->length = 0;
  m->full = false;
  nl_put_fixed(m, &header, sizeof header);
  nl_put_fixed(m, fixed, length);
}

void nl_put(struct nl_message *m, uint16_t type, const void *bytes, size_t length) {
  struct nl_attribute a = {.length = (uint16_t)(sizeof a + length), .type = type};
  if (m->length + sizeof a + aligned(length) > sizeof m->bytes) {
    m->full = true;
    return;
  }
  nl_put_fixed(m, &a, sizeof a);
  nl_put_fixed(m, bytes, length);
}

void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t number) { nl_put(m, type, &number, sizeof number); }

void nl_put_text(struct nl_message *m, uint16_t type, const char *text) { nl_put(m, type, text, strlen(text) + 1); }

size_t nl_nest(struct nl_message *m, uint16_t type) {
  size_t at = m->length;
  nl_put(m, type | NESTED, NULL, 0);
  return at;
}

void nl_end(struct nl_message *m, size_t nest) {
  if (m->full) return;
  uint16_t length = (uint16_t)(m->length - nest);
  memcpy(m->bytes + nest, &length, sizeof length);
}

static uint32_t sequence;

static int send_message(int fd, struct nl_message *m) {
  struct nl_header *header = (struct nl_header *)m->bytes;
  if (m->full) return errno = EMSGSIZE, -1;
  header->length = (uint32_t)m->length;
  header->sequence = ++sequence;
  return send(fd, m->bytes, m->length, 0) == (ssize_t)m->length ? 0 : -1;
}

/** 1: more is to come, 0: that was all, -1 with errno. */
static int hear(const char *bytes, size_t length, nl_answer *each, void *argument) {
  while (length >= sizeof(struct nl_header)) {
    struct nl_header h;
    memcpy(&h, bytes, sizeof h);
    if (h.length < sizeof h || h.length > length) return errno = EBADMSG, -1;
    if (h.sequence == sequence && h.type == TYPE_DONE) return 0;
    if (h.sequence == sequence && h.type == TYPE_ERROR) {
      int32_t code = -EBADMSG;
      if (h.length >= sizeof h + sizeof code) memcpy(&code, bytes + sizeof h, sizeof code);
      if (code == 0) return 0;
      return errno = -code, -1;
    }
    if (h.sequence == sequence && each != NULL) each(argument, h.type, bytes + sizeof h, h.length - sizeof h);
    size_t step = aligned(h.length);
    bytes += step < length ? step : length;
    length -= step < length ? step : length;
  }
  return 1;
}

static int hear_all(int fd, nl_answer *each, void *argument) {
  static char buffer[32768]; /* no dump's piece is larger */
  for (;;) {
    ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    int more = hear(buffer, (size_t)got, each, argument);
    if (more <= 0) return more;
  }
}

int nl_ask(int fd, struct nl_message *m, nl_answer *each, void *argument) {
  struct nl_header *header = (struct nl_header *)m->bytes;
  if ((header->flags & NL_DUMP) != NL_DUMP) header->flags |= NL_ACK;
  return send_message(fd, m) < 0 ? -1 : hear_all(fd, each, argument);
}

int nl_do(int fd, struct nl_message *m) { return nl_ask(fd, m, NULL, NULL); }

int nl_batch(int fd, struct nl_message *m) {
  enum { BEGIN = 16, END = 17 };
  static const uint8_t tables[4] = {0, 0, 0, 10}; /* nfgenmsg: the subsystem is nf_tables */
  struct nl_message all, one;
  const struct { struct nl_message *m; uint16_t type; } parts[] = {{NULL, BEGIN}, {m, 0}, {NULL, END}};
  nl_begin(&all, 0, 0, NULL, 0);
  all.length = 0;
  sequence++;
  for (int i = 0; i < 3; i++) {
    if (parts[i].m == NULL) nl_begin(&one, parts[i].type, 0, tables, sizeof tables);
    struct nl_message *part = parts[i].m == NULL ? &one : parts[i].m;
    struct nl_header *header = (struct nl_header *)part->bytes;
    if (part == m) header->flags |= NL_ACK;
    header->length = (uint32_t)part->length;
    header->sequence = sequence;
    nl_put_fixed(&all, part->bytes, part->length);
  }
  if (all.full) return errno = EMSGSIZE, -1;
  if (send(fd, all.bytes, all.length, 0) != (ssize_t)all.length) return -1;
  return hear_all(fd, NULL, NULL);
}

const char *nl_find(const char *bytes, size_t length, size_t fixed, uint16_t type, size_t *size) {
  size_t at = aligned(fixed);
  while (at + sizeof(struct nl_attribute) <= length) {
    struct nl_attribute a;
    memcpy(&a, bytes + at, sizeof a);
    if (a.length < sizeof a || at + a.length > length) return NULL;
    if ((a.type & TYPE_MASK) == type) {
      *size = a.length - sizeof a;
      return bytes + at + sizeof a;
    }
    at += aligned(a.length);
  }
  return NULL;
}
