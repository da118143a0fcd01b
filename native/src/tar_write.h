/**
 * Writes a tar stream: ustar with PAX records where a name, a number or an attribute needs them. Times are whole seconds,
 * as Docker's own layers have them. A file that grows or shrinks while it is read has in the tar the size it had before.
 */
#ifndef STRATA_TAR_WRITE_H
#define STRATA_TAR_WRITE_H
#include <stddef.h>
#include <sys/stat.h>

#include "err.h"

struct tar_writer;

/** NULL without memory. */
struct tar_writer *tar_write_open(int fd);

/**
 * The entry `name` in the directory `parent` as `path` (no leading slash): what it is, its owner, times, attributes
 * (security.capability and user.*, none of overlayfs's), its content. A second name of an inode becomes a hard link.
 * Sockets are left out. One that has gone meanwhile is no error.
 */
int tar_write_entry(struct tar_writer *w, int parent, const char *name, const char *path, struct err *e);

/** An empty file: the marker of a deleted name. */
int tar_write_marker(struct tar_writer *w, const char *path, struct err *e);

/** The end of the archive. */
int tar_write_end(struct tar_writer *w, struct err *e);
void tar_write_close(struct tar_writer *w);

#endif
