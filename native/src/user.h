/** Who the process is, looked up in the container's own /etc/passwd and /etc/group, which the image wrote. */
#ifndef STRATA_USER_H
#define STRATA_USER_H
#include "spec.h"

/**
 * Call after the root was changed. Sets uid, gid and groups of `s` from `s->user` by Docker's rules ("name", "name:group",
 * numbers) and gives the home directory in `home` (empty when there is none).
 */
int user_look_up(struct spec *s, char home[256], struct err *e);

#endif
