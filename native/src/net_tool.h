/** Programs of others: nft, iptables-restore. Looked for where systems keep them, started with a clean environment. */
#ifndef STRATA_NET_TOOL_H
#define STRATA_NET_TOOL_H
#include "err.h"

/** The absolute path of a program of the system, NULL when it is not installed. */
const char *tool_find(const char *name, char path[64]);

/** Runs it with `input` on its standard input; what it complains about is in `e`. */
int tool_run(const char *path, const char *const *argv, const char *input, struct err *e);

#endif
