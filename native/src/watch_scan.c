/**
 * A directory is watched before it is listed, so that nothing falls between; an event only says where to look, and what is
 * there is asked of the file system. Paths inside are the container's to change at any moment: none leads through a link.
 */
#include "watch_scan.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>

#include "own.h"
#include "sys.h"

enum { EVENTS = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF };
enum { RELATIVE_PATH = 4000, RECENT_S = 600, MAX_DEPTH = 1500 };

int watch_scan_begin(struct watch *w, struct err *e) {
  w->e = e;
  w->capacity = PATH_MAX;
  w->space = malloc(w->capacity);
  w->by_wd = calloc(WD_BUCKETS, sizeof *w->by_wd);
  return w->space == NULL || w->by_wd == NULL ? err_set(e, ENOMEM, "watch") : watch_tree_begin(&w->tree, e);
}

void watch_scan_end(struct watch *w) {
  if (w->tree.root != NULL) watch_tree_end(&w->tree);
  own_close(&w->inotify);
  free(w->by_wd);
  free(w->space);
}

/* Watch descriptors are numbers that only grow: a chain each. */

struct node *watch_by_wd(const struct watch *w, int wd) {
  struct node *node = w->by_wd[wd & (WD_BUCKETS - 1)];
  while (node != NULL && node->wd != wd) node = node->wd_next;
  return node;
}

static void unlink_wd(struct watch *w, struct node *node) {
  struct node **at = &w->by_wd[node->wd & (WD_BUCKETS - 1)];
  while (*at != node) at = &(*at)->wd_next;
  *at = node->wd_next;
  node->wd = -1;
}

void watch_forgotten(struct watch *w, int wd) {
  struct node *node = watch_by_wd(w, wd);
  if (node != NULL) unlink_wd(w, node);
}

static void link_wd(struct watch *w, struct node *node, int wd) {
  watch_forgotten(w, wd); /* a directory that was moved keeps its watch: now it is this one's */
  if (node->wd >= 0) unlink_wd(w, node);
  node->wd = wd;
  node->wd_next = w->by_wd[wd & (WD_BUCKETS - 1)];
  w->by_wd[wd & (WD_BUCKETS - 1)] = node;
}

static void unwatch(struct watch *w, struct node *node) {
  if (node->wd < 0) return;
  inotify_rm_watch(w->inotify, node->wd);
  unlink_wd(w, node);
}

/** Watches the open directory; true when it was not watched as this one before. */
static bool watch_directory(struct watch *w, struct node *node, int fd) {
  if (w->inotify < 0) return true; /* polled: every look is a whole one */
  /* By way of the working directory: there is no path that the container could not exchange meanwhile. */
  int wd = fchdir(fd) < 0 ? -1 : inotify_add_watch(w->inotify, ".", EVENTS);
  int number = errno;
  if (chdir("/") < 0 || wd < 0) {
    /* No more watches are to be had: from now on we go and look. */
    w->why_polled = number;
    own_close(&w->inotify);
    w->inotify = -1;
    return true;
  }
  if (node->wd == wd) return false;
  link_wd(w, node, wd);
  return true;
}

static char *path_of(struct watch *w, const struct node *node) {
  char *path;
  while ((path = watch_path(node, w->space, w->capacity)) == NULL) {
    char *grown = realloc(w->space, w->capacity * 2);
    if (grown == NULL) return NULL;
    w->space = grown;
    w->capacity *= 2;
  }
  return path;
}

const char *watch_full_path(struct watch *w, const struct node *node) {
  char *path = path_of(w, node);
  if (path == NULL) return NULL;
  if (path == w->space) {
    memmove(w->space + 1, path, strlen(path) + 1 < w->capacity ? strlen(path) + 1 : w->capacity - 1);
    path = w->space + 1;
  }
  path[-1] = '/';
  return path - 1;
}

/** Opens a directory of the upper one; what is too deep for one path is opened a step at a time. -1 with errno. */
static int open_node(struct watch *w, int root, const struct node *node) {
  const char *path = path_of(w, node);
  if (path == NULL) return errno = ENOMEM, -1;
  if (strlen(path) < RELATIVE_PATH)
    return sys_openat2(root, *path == 0 ? "." : path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_);
  OWN_FD above = open_node(w, root, node->parent);
  return above < 0 ? -1 : openat(above, node->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void make_busy(struct watch *w, struct node *dir) {
  if (dir->busy) return;
  dir->busy = true;
  dir->busy_next = w->busy;
  w->busy = dir;
}

void watch_dirty(struct watch *w, struct node *node) {
  if (node->parent == NULL) return make_busy(w, node);
  if (node->dirty) return;
  node->dirty = true;
  node->dirty_next = node->parent->dirty_first;
  node->parent->dirty_first = node;
  make_busy(w, node->parent);
}

void watch_dirty_name(struct watch *w, struct node *dir, const char *name, uint32_t writes) {
  struct node *node = watch_child(&w->tree, dir, name, true);
  if (node == NULL) {
    dir->rescan = true; /* no memory for the name: the whole directory, later */
    return make_busy(w, dir);
  }
  node->writes += writes;
  watch_dirty(w, node);
}

void watch_dirty_all(struct watch *w) {
  w->tree.root->rescan = w->whole = true;
  make_busy(w, w->tree.root);
}

static void view_of(const struct node *dir, struct lower_view *view) {
  view->count = dir->layer_count;
  if (view->count > 0) memcpy(view->layers, dir->layers, (size_t)view->count * sizeof view->layers[0]);
}

/** Nothing is in it any more, whatever was. */
static void clear(struct watch *w, struct node *node) {
  node->directory = node->opaque = false;
  unwatch(w, node);
  free(node->layers);
  node->layers = NULL;
  node->layer_count = 0;
  for (struct node *child = node->first; child != NULL; child = child->next) {
    clear(w, child);
    watch_closed_file(w, child);
    watch_set_own(&w->tree, child, 0);
  }
}

static void remember(struct node *node, const struct upper_entry *u) {
  node->why = (unsigned char)u->why;
  node->layer = u->layer;
  node->below_size = u->below;
  node->mode = u->st.st_mode;
  node->uid = u->st.st_uid;
  node->gid = u->st.st_gid;
  node->size = S_ISREG(u->st.st_mode) ? u->st.st_size : 0;
  node->mtime = u->st.st_mtim.tv_sec * 1000000000LL + u->st.st_mtim.tv_nsec;
}

/** Keeps where a link leads, for as long as it is a change: nobody asks the file system twice. Cut where the kernel cuts. */
static void remember_link(struct node *node, int fd, const char *name, const struct upper_entry *u) {
  char target[PATH_MAX + 1];
  bool wanted = S_ISLNK(u->st.st_mode) && (u->letter == 'A' || u->letter == 'C');
  ssize_t length = wanted ? readlinkat(fd, name, target, PATH_MAX) : -1;
  if (length >= 0 && node->link != NULL && strlen(node->link) == (size_t)length && memcmp(node->link, target, (size_t)length) == 0) return;
  free(node->link);
  node->link = length < 0 ? NULL : strndup(target, (size_t)length);
  node->link_told = node->link == NULL;
}

static int become_directory(struct watch *w, struct node *node, const struct lower_view *own) {
  if (!node->directory || node->layer_count != own->count) {
    free(node->layers);
    node->layers = own->count == 0 ? NULL : malloc((size_t)own->count * sizeof own->layers[0]);
    if (own->count > 0 && node->layers == NULL) return err_set(w->e, ENOMEM, "watch");
    node->layer_count = own->count;
    if (own->count > 0) memcpy(node->layers, own->layers, (size_t)own->count * sizeof own->layers[0]);
    node->rescan = true;
  }
  node->directory = true;
  make_busy(w, node); /* whether it is still the same one, and hides the same, is looked at in its turn */
  return 0;
}

int watch_root(struct watch *w, const struct lower_view *view) { return become_directory(w, w->tree.root, view); }

/** Not there any more: nothing, or, in a directory that hides what is below, what it hides. */
static void absent(struct watch *w, struct node *node, const char *path) {
  struct upper_entry u = {.layer = -1};
  struct lower_view view;
  view_of(node->parent, &view);
  clear(w, node);
  free(node->link);
  node->link = NULL;
  watch_closed_file(w, node);
  if (node->parent->opaque && lower_find(&w->lower, &view, path, &u.st, &u.layer, NULL)) {
    u.letter = 'D';
    u.below = S_ISREG(u.st.st_mode) ? u.st.st_size : 0;
    remember(node, &u);
  }
  watch_set_own(&w->tree, node, u.letter);
}

/** Copied up or written a short while ago: it may be open, and be written to through memory. */
static bool touched_lately(const struct upper_entry *u) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return S_ISREG(u->st.st_mode) && !u->whiteout && u->st.st_ctim.tv_sec > now.tv_sec - RECENT_S;
}

/** `path` is that of `name` in `dir`, which is open as `fd`. */
static int look(struct watch *w, struct node *dir, int fd, const struct lower_view *view, const char *name, const char *path, bool listed) {
  struct upper_entry u;
  struct lower_view own;
  struct node *node = watch_child(&w->tree, dir, name, false);
  if (upper_look(&w->lower, view, fd, name, path, &u, &own) < 0) {
    if (errno != ENOENT) return err_set(w->e, errno, "look at %.200s", path);
    if (node != NULL) absent(w, node, path);
    return 0;
  }
  bool directory = S_ISDIR(u.st.st_mode) && !u.whiteout;
  if (directory && dir->depth + 1 >= MAX_DEPTH) directory = false, w->too_deep = true;
  bool maybe_open = listed && touched_lately(&u); /* no event has told */
  if (node == NULL && u.letter == 0 && !directory && !maybe_open) return 0;
  if (node == NULL && (node = watch_child(&w->tree, dir, name, true)) == NULL) return err_set(w->e, ENOMEM, "watch");
  node->seen = w->listing;
  remember(node, &u);
  remember_link(node, fd, name, &u);
  if (!directory) clear(w, node);
  else if (become_directory(w, node, &own) < 0) return -1;
  if (directory && w->whole) node->rescan = true;
  watch_set_own(&w->tree, node, u.letter);
  if (maybe_open && node->open == 0) watch_open_file(w, node, w->now);
  return 0;
}

/** The path of a directory, in which names are put after it. */
struct path {
  char *text;
  size_t base, capacity;
};

/** The path of `name`; NULL without memory. */
static const char *below(struct path *p, const char *name) {
  size_t need = p->base + strlen(name) + 2;
  if (need > p->capacity) {
    char *grown = realloc(p->text, need * 2);
    if (grown == NULL) return NULL;
    p->text = grown;
    p->capacity = need * 2;
  }
  size_t at = p->base;
  if (at > 0) p->text[at++] = '/';
  memcpy(p->text + at, name, strlen(name) + 1);
  return p->text;
}

static int look_at(struct watch *w, struct node *dir, int fd, const struct lower_view *view, struct path *p, const char *name, bool listed) {
  const char *path = below(p, name);
  return path == NULL ? err_set(w->e, ENOMEM, "watch") : look(w, dir, fd, view, name, path, listed);
}

/** Names that an opaque directory hides: those that the layers below have and it has not. */
static int look_at_hidden(struct watch *w, struct node *dir, int fd, const struct lower_view *view, struct path *p) {
  for (int i = 0; i < view->count; i++) {
    if (p->text != NULL) p->text[p->base] = 0;
    int layer = sys_openat2(w->lower.fds[view->layers[i]], p->base == 0 ? "." : p->text, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH_ | RESOLVE_NO_SYMLINKS_);
    OWN_DIR entries = layer < 0 ? NULL : fdopendir(layer);
    for (struct dirent *d; entries != NULL && (d = readdir(entries)) != NULL;) {
      struct stat st;
      if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0 || fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) continue;
      struct node *node = watch_child(&w->tree, dir, d->d_name, true);
      const char *path = below(p, d->d_name);
      if (node == NULL || path == NULL) return err_set(w->e, ENOMEM, "watch");
      node->seen = w->listing;
      absent(w, node, path);
      p->text[p->base] = 0;
    }
  }
  return 0;
}

static int look_at_all(struct watch *w, struct node *dir, int fd, const struct lower_view *view, struct path *p) {
  int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OWN_DIR entries = copy < 0 ? NULL : fdopendir(copy);
  if (entries == NULL) return errno == ENOENT ? 0 : err_set(w->e, errno, "list a directory");
  uint32_t listing = ++w->listing;
  for (struct dirent *d; (d = readdir(entries)) != NULL;) {
    if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
    if (look_at(w, dir, fd, view, p, d->d_name, true) < 0) return -1;
  }
  if (dir->opaque && view->count > 0 && look_at_hidden(w, dir, fd, view, p) < 0) return -1;
  for (struct node *child = dir->first; child != NULL; child = child->next)
    if (child->seen != listing && look_at(w, dir, fd, view, p, child->name, false) < 0) return -1;
  return 0;
}

static int look_at_dirty(struct watch *w, struct node *dir, int fd, const struct lower_view *view, struct path *p) {
  for (struct node *child; (child = dir->dirty_first) != NULL;) {
    dir->dirty_first = child->dirty_next;
    child->dirty = false;
    watch_changed(&w->tree, child);
    if (look_at(w, dir, fd, view, p, child->name, false) < 0) return -1;
  }
  return 0;
}

static int look_at_directory(struct watch *w, int root, struct node *dir) {
  struct lower_view view;
  OWN_FD fd = open_node(w, root, dir);
  OWN_MEMORY char *text = NULL;
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV || errno == EAGAIN)) {
    /* It went, or is about to; its parent's turn comes, if it has not been. */
    for (struct node *child; (child = dir->dirty_first) != NULL;) {
      dir->dirty_first = child->dirty_next;
      child->dirty = false;
      watch_changed(&w->tree, child);
    }
    return 0;
  }
  if (fd < 0) return err_set(w->e, errno, "open a directory");
  bool fresh = watch_directory(w, dir, fd);
  bool opaque = (dir->parent != NULL && dir->parent->opaque) || upper_opaque(&w->lower, fd);
  if (opaque != dir->opaque) fresh = true;
  if (fresh && upper_redirected(&w->lower, fd)) w->redirected = true;
  dir->opaque = opaque;
  view_of(dir, &view);
  const char *path = path_of(w, dir);
  if (path == NULL || (text = strdup(path)) == NULL) return err_set(w->e, ENOMEM, "watch");
  struct path p = {.text = text, .base = strlen(text), .capacity = strlen(text) + 1};
  int result = fresh || dir->rescan ? look_at_all(w, dir, fd, &view, &p) : 0;
  dir->rescan = false;
  if (result == 0) result = look_at_dirty(w, dir, fd, &view, &p);
  text = p.text;
  return result;
}

int watch_look(struct watch *w, int64_t now) {
  w->now = now;
  OWN_FD root = open(w->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat st;
  if (root < 0 || fstat(root, &st) < 0 || st.st_nlink == 0) w->gone = true;
  for (struct node *dir; (dir = w->busy) != NULL;) {
    w->busy = dir->busy_next;
    dir->busy = false;
    if (dir->directory && !w->gone && look_at_directory(w, root, dir) < 0) return -1;
    watch_changed(&w->tree, dir);
  }
  w->whole = false;
  if (w->gone) clear(w, w->tree.root);
  return 0;
}

void watch_closed_file(struct watch *w, struct node *node) {
  if (node->open == 0) return;
  w->open[node->open - 1].node = NULL;
  node->open = 0;
  watch_changed(&w->tree, node);
}

void watch_open_file(struct watch *w, struct node *node, int64_t now) {
  if (node->open == 0) {
    struct open_file *place = &w->open[w->open_next];
    if (place->node != NULL) watch_closed_file(w, place->node);
    place->node = node;
    node->open = (uint16_t)(w->open_next + 1);
    w->open_next = (w->open_next + 1) % OPEN_FILES;
  }
  struct open_file *file = &w->open[node->open - 1];
  file->interval = OPEN_FIRST_MS;
  file->due = now + OPEN_FIRST_MS;
}

int watch_open_turn(struct watch *w, int64_t now) {
  int64_t next = -1;
  for (int i = 0; i < OPEN_FILES; i++) {
    struct open_file *file = &w->open[i];
    if (file->node == NULL) continue;
    if (file->due <= now) {
      file->interval = file->interval >= OPEN_LAST_MS ? OPEN_LAST_MS : file->interval * 2;
      file->due = (now / 1000 + 1) * 1000 + file->interval - OPEN_FIRST_MS; /* whole seconds: many wake us once */
      watch_dirty(w, file->node);
    }
    if (next < 0 || file->due < next) next = file->due;
  }
  return next < 0 ? -1 : next <= now ? 0 : (int)(next - now);
}
