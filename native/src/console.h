/** `--console-socket`: the terminal goes to whoever listens there, as containerd and podman want it of crun and runc. */
#ifndef STRATA_CONSOLE_H
#define STRATA_CONSOLE_H
#include "err.h"

/** Connects to the socket at `path` and sends the descriptor. */
int console_hand_over(const char *path, int master, struct err *e);

#endif
