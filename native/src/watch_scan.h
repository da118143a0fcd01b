/** Keeps a watch_tree equal to the directory that it stands for: looks again at what may have changed. */
#ifndef STRATA_WATCH_SCAN_H
#define STRATA_WATCH_SCAN_H
#include "watch_tree.h"

enum { OPEN_FILES = 256, OPEN_FIRST_MS = 1000, OPEN_LAST_MS = 256000, WD_BUCKETS = 4096 };

/** A file that somebody may write to through memory, of which no event tells: looked at now and then. */
struct open_file {
  struct node *node;      /* NULL: a free place */
  int64_t due, interval;  /* milliseconds */
};

struct watch {
  struct watch_tree tree;
  struct lower_stack lower;
  const char *upper;      /* an absolute path */
  int inotify;            /* -1: polled */
  int why_polled;         /* errno, 0: not polled */
  bool too_deep;          /* what lies deeper than we go is not looked at */
  bool redirected;        /* a directory was met of which not all can be told */
  bool gone;              /* the upper directory itself is removed */
  uint32_t listing;
  struct node *busy;      /* directories to look at */
  struct node **by_wd;    /* WD_BUCKETS chains */
  struct open_file open[OPEN_FILES];
  int open_next;
  bool whole;             /* every directory is to be listed again */
  int64_t now;            /* milliseconds */
  char *space;            /* for paths */
  size_t capacity;
  struct err *e;
};

int watch_scan_begin(struct watch *w, struct err *e);
/** What lies below the upper directory itself. */
int watch_root(struct watch *w, const struct lower_view *view);
void watch_scan_end(struct watch *w);

/** The directory of a watch descriptor, NULL when it is none of ours any more. */
struct node *watch_by_wd(const struct watch *w, int wd);
/** The kernel let a watch go: the directory is removed, or not ours. */
void watch_forgotten(struct watch *w, int wd);

/** Says that a name in a directory is to be looked at again; with `writes` that somebody wrote to it. */
void watch_dirty_name(struct watch *w, struct node *dir, const char *name, uint32_t writes);
void watch_dirty(struct watch *w, struct node *node);
/** Says that everything is to be looked at. */
void watch_dirty_all(struct watch *w);

/** Looks at everything that is dirty. -1 when it can not go on. */
int watch_look(struct watch *w, int64_t now);

/** Somebody may have the file open for writing, and did something to it now; has closed it. */
void watch_open_file(struct watch *w, struct node *node, int64_t now);
void watch_closed_file(struct watch *w, struct node *node);
/** Marks the open files whose turn it is; gives the milliseconds until the next turn, -1 for none. */
int watch_open_turn(struct watch *w, int64_t now);

/** The path with a leading slash; valid until the next call. NULL without memory. */
const char *watch_full_path(struct watch *w, const struct node *node);

#endif
