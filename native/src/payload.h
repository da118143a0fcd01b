/** The last steps of the process that becomes the command: identity, limits, filter, exec. */
#ifndef STRATA_PAYLOAD_H
#define STRATA_PAYLOAD_H
#include "child.h"

/** Does not return when the command starts; gives the exit status otherwise, after telling the helper why. */
int payload_exec(struct child *c, int peer);

#endif
