/** What an executed command is: the container's own process, with what the person asks for in place of parts of it. */
#ifndef STRATA_EXEC_SPEC_H
#define STRATA_EXEC_SPEC_H
#include "exec.h"
#include "spec.h"

/**
 * `config` is the text of the container's config.json. `process` keeps the texts of a process file. The caller frees with
 * spec_free and json_free, also after an error.
 */
int exec_spec_read(struct spec *s, struct json_document *process, const char *config, size_t length, const struct exec_options *o, struct err *e);

#endif
