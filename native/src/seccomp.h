/** The system call filter, made while building from seccomp.profile. */
#ifndef STRATA_SECCOMP_H
#define STRATA_SECCOMP_H
#include <stddef.h>

#include "err.h"

/** Installs the filter for this process and its children, for good. Needs no_new_privs or CAP_SYS_ADMIN. */
int seccomp_install(struct err *e);

/** The filter as the kernel reads it, for tests: 8 bytes an instruction. */
const void *seccomp_program(size_t *bytes);

#endif
