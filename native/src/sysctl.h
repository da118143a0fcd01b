/** Kernel settings of a container: those that its own namespaces have, and no others. */
#ifndef STRATA_SYSCTL_H
#define STRATA_SYSCTL_H
#include "spec.h"

/** Checks `linux.sysctl`: an error names what would be the host's. */
int sysctl_check(const struct spec *s, struct err *e);

/** Sets them, in the namespaces of the container, where the host's /proc is still to be seen. */
int sysctl_set(const struct spec *s, struct err *e);

#endif
