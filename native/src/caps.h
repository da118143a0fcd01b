/** Capabilities: Docker's fourteen, and how a process is held to a set for good. */
#ifndef STRATA_CAPS_H
#define STRATA_CAPS_H
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/** CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE */
#define CAPS_DEFAULT 0xa80425fbULL

enum { CAP_KILL_ = 5, CAP_WAKE_ALARM_ = 35 };

/** The number of "CAP_CHOWN" and so on, -1 when there is none of that name. */
int caps_number(const char *name);

/** Drops everything outside `bounding` from the bounding set. Needs CAP_SETPCAP. */
int caps_bound(uint64_t bounding, struct err *e);

/** Whether it is permitted to us. */
bool caps_has(int number);

/** Sets permitted and effective; inheritable and ambient become empty. */
int caps_set(uint64_t permitted, uint64_t effective, struct err *e);

#endif
