/**
 * The rules of the firewall: masquerading for what leaves the bridge, published ports for what comes from other machines,
 * nothing else in. With nft they are one table, `ip strata`, replaced as a whole. Without nft, or where iptables' chain
 * FORWARD drops what it does not know (as Docker sets it; no table of ours could overrule it), they are chains STRATA-* of
 * iptables and three jumps to them.
 */
#ifndef STRATA_NET_RULES_H
#define STRATA_NET_RULES_H
#include "net_book.h"

/** Makes them what the book wants; those that are so already are left alone. */
int rules_write(const struct book *b, struct err *e);

/** Takes all of them away. */
void rules_remove(const struct book *b);

/** "nft", "iptables", NULL when there is neither. */
const char *rules_tool(void);

/** Packets are passed on between links from now on; the book remembers when they were not before. */
int forward_begin(const struct book *b, struct err *e);

/** As before; not while others have bridges, which may rely on it by now. */
void forward_end(const struct book *b);

#endif
