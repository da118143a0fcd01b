/**
 * Files out of a container and into it, by a process that is in the container and held to its rules (payload.c runs it in
 * place of a command): whatever links the container's files are, they lead nowhere but into the container (CVE-2018-15664).
 */
#ifndef STRATA_COPY_H
#define STRATA_COPY_H
#include <stdbool.h>

#include "idmap.h"

/** In place of a command's first word. No program has such a name. */
#define COPY_OUT "strata:copy-out"
#define COPY_IN "strata:copy-in"
#define COPY_FILL "strata:fill"

bool copy_is_meant(const char *const *args);

/**
 * `COPY_OUT PATH`: a tar of it to standard output, its own name first. A link at the end is not followed unless a slash
 * stands behind it; of "DIR/." the entries are named "." and "./NAME".
 * `COPY_IN DIR`: a tar from standard input into the directory; nothing there is a marker.
 * `COPY_FILL PATH VOLUME...`: what lies at PATH goes into VOLUME/_data, itself included, where that is empty.
 * The exit status; errors go to standard error.
 */
int copy_main(const char *const *args, const struct idmaps *maps);

#endif
