/** A container's own /dev: six devices and the usual links, and its terminal. */
#ifndef STRATA_DEV_H
#define STRATA_DEV_H
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/** An O_PATH descriptor of a device of the host, proved to be the character device `rdev`. */
int dev_host(const char *path, dev_t rdev, struct err *e);

/** Fills /dev below `root`, a fresh file system. `user`: device nodes can not be made here, the host's are bound. */
int dev_fill(int root, bool user, struct err *e);

/** A new terminal of the container's own /dev/pts: the master, and the other side as `*peer`. */
int dev_terminal(int root, int rows, int columns, int *peer, struct err *e);

/** Binds that other side on /dev/console. */
int dev_console(int root, int peer, struct err *e);

#endif
