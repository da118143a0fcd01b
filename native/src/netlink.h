/**
 * Messages to the kernel's networking over one socket: built in a buffer, sent, answered before the next. The oldest C
 * library we build with does not come with the kernel's headers: what is needed of them stands here under names of our own.
 */
#ifndef STRATA_NETLINK_H
#define STRATA_NETLINK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NL_ROUTE = 0, NL_FILTER = 12 };
enum { NL_ACK = 0x4, NL_DUMP = 0x300, NL_EXCLUSIVE = 0x200, NL_MAKE = 0x400 };

struct nl_header {
  uint32_t length;
  uint16_t type, flags;
  uint32_t sequence, port;
};
struct nl_attribute {
  uint16_t length, type;
};

struct nl_message {
  size_t length;
  bool full; /* it did not fit: it is not sent */
  _Alignas(8) char bytes[2048];
};

/** A socket in the network namespace that we are in; -1 with errno. */
int nl_open(int protocol);

/** Begins a message with what its type has before the attributes. */
void nl_begin(struct nl_message *m, uint16_t type, uint16_t flags, const void *fixed, size_t length);
void nl_put(struct nl_message *m, uint16_t type, const void *bytes, size_t length);
void nl_put_u32(struct nl_message *m, uint16_t type, uint32_t number);
void nl_put_text(struct nl_message *m, uint16_t type, const char *text);

/** Attributes inside of one, from nl_nest to nl_end. */
size_t nl_nest(struct nl_message *m, uint16_t type);
void nl_put_fixed(struct nl_message *m, const void *bytes, size_t length);
void nl_end(struct nl_message *m, size_t nest);

/** Sends it and waits for the kernel's word: 0, or -1 with errno. */
int nl_do(int fd, struct nl_message *m);

/** The same; each answer is given to `each`, as what follows its header. A dump ends with its last. */
typedef void nl_answer(void *argument, uint16_t type, const char *bytes, size_t length);
int nl_ask(int fd, struct nl_message *m, nl_answer *each, void *argument);

/** One message of nf_tables as a batch of its own, for what changes something there. */
int nl_batch(int fd, struct nl_message *m);

/** The attribute of this type behind `fixed` bytes, NULL when there is none. */
const char *nl_find(const char *bytes, size_t length, size_t fixed, uint16_t type, size_t *size);

#endif
