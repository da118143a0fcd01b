/**
 * Which process a number means. Pids are used again, so a process is its pid and the moment it started, within one boot;
 * and one that is dead is still there until somebody waits for it, which on some machines nobody does.
 */
#ifndef STRATA_PROCESS_H
#define STRATA_PROCESS_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

struct process {
  pid_t pid;
  int64_t start; /* clock ticks since boot: field 22 of /proc/PID/stat */
};

enum { BOOT_ID = 40 };

/** The process that has this pid now; false when there is none. */
bool process_of(pid_t pid, struct process *p);

/** It is there, it is the same one, and it is no zombie. */
bool process_alive(const struct process *p);

/** The letter of its state (T is stopped), 0 when it is gone. */
char process_state(pid_t pid);

/** A pidfd of that very process: -1 with ESRCH in errno when it is gone or dead. */
int process_open(const struct process *p);

/** The pid, as we see it, of the process behind a pidfd; -1 when it is gone. */
pid_t process_behind(int pidfd);

/** Names this boot of the machine; empty when the kernel does not tell. */
void process_boot(char id[BOOT_ID]);

#endif
