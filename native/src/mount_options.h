/** The option words of one mount of the specification, sorted into what the kernel wants where. */
#ifndef STRATA_MOUNT_OPTIONS_H
#define STRATA_MOUNT_OPTIONS_H
#include <stdbool.h>

#include "pick.h"

enum { MAX_DATA = 32 };

struct mount_options {
  bool bind, recursive;
  unsigned set, clear; /* ATTR_* */
  uint64_t propagation; /* MS_*, 0: private */
  const char *data[MAX_DATA];
  int count;
};

int mount_options_read(const struct list *words, struct mount_options *o, struct err *e);

#endif
