/** The process that keeps an executed command company inside the container: it waits for it, and cleans up after a probe. */
#ifndef STRATA_COMPANY_H
#define STRATA_COMPANY_H
#include <stdbool.h>
#include <sys/types.h>

/** Before the command is started: its children become ours when their parents die. Gives what company_end needs, or -1. */
int company_adopt(void);

/** Kills every descendant and waits until there is none; `children` is what company_adopt gave. */
void company_end(int children);

/**
 * Until the command has ended: its wait status. `told` (the writing end of a pipe that nobody outside reads any more) ends it
 * too: -1 then. Signals are blocked.
 */
int company_wait(pid_t command, int signals, int told);

#endif
