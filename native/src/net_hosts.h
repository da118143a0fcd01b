/**
 * A container's /etc/hosts: a file of its folder that is bound over the image's. What follows our mark in it is written
 * anew, in place, whenever somebody comes to its bridge or leaves; what stands before is left alone.
 */
#ifndef STRATA_NET_HOSTS_H
#define STRATA_NET_HOSTS_H
#include "net_book.h"

#define HOSTS_MARK "# strata: kept up to date below\n"

/** Of everybody in the book. A file that is not there, or has lost its mark, is passed over. */
void hosts_write_all(const struct book *b);

/** Of one that is on no bridge: its own address, and this machine's (0: none). */
void hosts_write_one(const struct network_spec *s, uint32_t address, uint32_t gateway);

#endif
