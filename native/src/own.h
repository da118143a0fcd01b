/** Owners that let go by themselves when a variable leaves its scope: file descriptors, memory, directory streams. */
#ifndef STRATA_OWN_H
#define STRATA_OWN_H
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static inline void own_close(int *fd) {
  if (*fd >= 0) close(*fd);
}
static inline void own_free_(void *pointer) { free(*(void **)pointer); }
static inline void own_closedir_(DIR **dir) {
  if (*dir != NULL) closedir(*dir);
}

#define OWN_FD __attribute__((cleanup(own_close))) int
#define OWN_MEMORY __attribute__((cleanup(own_free_)))
#define OWN_DIR __attribute__((cleanup(own_closedir_))) DIR *

/** Gives the descriptor away: the variable no longer owns it. */
static inline int own_give(int *fd) {
  int given = *fd;
  *fd = -1;
  return given;
}

#endif
