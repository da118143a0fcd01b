/** `read`: a piece of a file below a directory that a container writes to. */
#ifndef STRATA_READ_H
#define STRATA_READ_H
#include <stdint.h>

#include "err.h"

struct read_options {
  const char *root;
  int64_t offset, length; /* bytes; less where the file ends */
};

/** Copies the piece of the regular file whose path stands on standard input to standard output. */
int read_main(const struct read_options *o, struct err *e);

#endif
