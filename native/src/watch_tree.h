/**
 * What `watch` remembers of an upper directory: its directories, and the names in them that are changes or were told as
 * such. A copy-up that changed nothing costs no memory.
 */
#ifndef STRATA_WATCH_TREE_H
#define STRATA_WATCH_TREE_H
#include "upper.h"

struct node {
  struct node *parent, *hash_next;
  struct node *first, *next, *previous;  /* children; siblings */
  struct node *changed_next;             /* in the list of those to settle */
  struct node *dirty_first, *dirty_next; /* names to look at again in a directory; the next one in its parent's list */
  struct node *busy_next;                /* directories to look at */
  struct node *wd_next;
  char *link;                            /* of a symbolic link that is a change: where it leads */
  unsigned short *layers;                /* of a directory: the view of what lies below */
  int layer_count;
  int wd;                                /* of a directory that is watched, else -1 */
  int below;                             /* children that have a letter */
  uint32_t seen;                         /* number of the listing that met it last */
  uint32_t writes;                       /* writes seen since it was told */
  char own, letter, told;                /* own: without regard to what is in it */
  bool directory;                        /* is one in the upper directory now */
  bool opaque;                           /* hides what lies below: it is opaque, or in one that is */
  bool dirty, busy, changed;
  bool link_told;
  bool rescan;                           /* is to be listed as a whole */
  unsigned char why, told_why;
  int layer;                             /* as in upper_entry */
  uint32_t mode, uid, gid;
  uint32_t told_mode, told_uid, told_gid;
  int64_t below_size, size, told_size, mtime, told_mtime; /* mtime: nanoseconds */
  uint16_t depth, length;
  uint16_t open;                        /* open: its place among the open files, from 1; 0: none */
  char name[];
};

struct watch_tree {
  struct node *root;
  struct node **buckets;
  size_t bucket_count, count;
  struct node *changed;
};

int watch_tree_begin(struct watch_tree *t, struct err *e);
void watch_tree_end(struct watch_tree *t);

/** The child of that name; made when `make`. NULL when there is none (or no memory). */
struct node *watch_child(struct watch_tree *t, struct node *parent, const char *name, bool make);

/** Puts a node into the list of those to settle. */
void watch_changed(struct watch_tree *t, struct node *node);

/** Sets what the node is by itself, and follows what that does to the directories above it. */
void watch_set_own(struct watch_tree *t, struct node *node, char own);

/** Forgets a node that is nothing, was told as nothing and has no children; then its parent, if that is so for it too. */
void watch_drop(struct watch_tree *t, struct node *node);

/** The path without a leading slash, ended by NUL, at the end of `space`; NULL when it does not fit. */
char *watch_path(const struct node *node, char *space, size_t capacity);

#endif
