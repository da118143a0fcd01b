/** Reads the directories of list.h; changes nothing. */
#include "list.h"

#include <errno.h>

#include "own.h"
#include "state.h"

/** 0, or -1 with an error about the container. */
static int add(struct out *o, const char *root, const char *id, struct err *e) {
  struct home home = {.dir = -1, .lock = -1};
  struct state s = {0};
  int result = home_open(&home, root, id, e);
  if (result == 0 && (result = state_read(&s, home.dir, e)) < 0) err_in(e, "container %s", id);
  if (result == 0) {
    state_print(&s, o);
    out_line(o);
  }
  state_free(&s);
  home_close(&home);
  return result;
}

int list_one(const char *root, const char *id, struct err *e) {
  struct out o = {0};
  int result = add(&o, root, id, e);
  if (result == 0 && out_write(&o, 1) < 0) result = err_set(e, errno, "write the answer");
  out_free(&o);
  return result;
}

int list_all(const char *root, struct err *e) {
  struct out o = {0};
  struct err ignored;
  OWN_DIR dir = opendir(root);
  if (dir == NULL) return errno == ENOENT ? 0 : err_set(e, errno, "read %s", root);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    if (home_id(entry->d_name)) add(&o, root, entry->d_name, &ignored);
  int result = out_write(&o, 1) < 0 ? err_set(e, errno, "write the answer") : 0;
  out_free(&o);
  return result;
}
