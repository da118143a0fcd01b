/** Reading and writing the small files of a cgroup directory. */
#ifndef STRATA_CGROUP_FILES_H
#define STRATA_CGROUP_FILES_H
#include <stdbool.h>
#include <stdint.h>

/** Writes the whole text at once, as the kernel wants it. -1 with errno. */
int cgroup_put(int dir, const char *file, const char *text);
int cgroup_put_number(int dir, const char *file, int64_t number);

/** The text of a file without its last line end; -1 with errno. What does not fit is cut. */
int cgroup_get(int dir, const char *file, char *text, int capacity);

/** The number after `key` in a file of "key number" lines; with an empty key the file's own. -1 when it is not there. */
int64_t cgroup_get_number(int dir, const char *file, const char *key);

/** True when `word` stands in a file of words. */
bool cgroup_has_word(int dir, const char *file, const char *word);

#endif
