/** What the helper and the process it starts tell each other while the container is built, over a socket pair. */
#ifndef STRATA_SYNC_H
#define STRATA_SYNC_H
#include "err.h"

enum sync_kind { SYNC_GO = 1, SYNC_START, SYNC_TERMINAL, SYNC_PROCESS, SYNC_READY, SYNC_ERROR, SYNC_END };

/** `fd` is handed over with the message, -1 for none. Gives -1 with errno. */
int sync_send(int socket, enum sync_kind kind, const struct err *e, int fd);

/** The next message; SYNC_END when the other side is gone. `*fd` receives a descriptor, -1 when none came. */
enum sync_kind sync_receive(int socket, struct err *e, int *fd);

#endif
