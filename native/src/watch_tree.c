/** One hash table over (parent, name) for all directories together. */
#include "watch_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024 };

static size_t hash(const struct watch_tree *t, const struct node *parent, const char *name, size_t length) {
  uint64_t h = 14695981039346656037ULL ^ (uint64_t)(uintptr_t)parent;
  for (size_t i = 0; i < length; i++) h = (h ^ (unsigned char)name[i]) * 1099511628211ULL;
  h ^= h >> 32;
  return (size_t)h & (t->bucket_count - 1);
}

static struct node *new_node(struct node *parent, const char *name, size_t length) {
  struct node *node = calloc(1, sizeof *node + length + 1);
  if (node == NULL) return NULL;
  node->parent = parent;
  node->wd = node->layer = -1;
  node->length = (uint16_t)length;
  node->depth = parent == NULL ? 0 : (uint16_t)(parent->depth + 1);
  memcpy(node->name, name, length + 1);
  return node;
}

int watch_tree_begin(struct watch_tree *t, struct err *e) {
  *t = (struct watch_tree){.bucket_count = FIRST_BUCKETS};
  t->buckets = calloc(t->bucket_count, sizeof *t->buckets);
  t->root = new_node(NULL, "", 0);
  if (t->buckets == NULL || t->root == NULL) return err_set(e, ENOMEM, "watch");
  t->root->directory = true;
  return 0;
}

void watch_tree_end(struct watch_tree *t) {
  for (size_t i = 0; t->buckets != NULL && i < t->bucket_count; i++)
    for (struct node *node = t->buckets[i], *next; node != NULL; node = next) {
      next = node->hash_next;
      free(node->layers);
      free(node->link);
      free(node);
    }
  if (t->root != NULL) free(t->root->layers);
  free(t->root);
  free(t->buckets);
}

static void grow(struct watch_tree *t) {
  struct watch_tree larger = {.bucket_count = t->bucket_count * 2};
  larger.buckets = calloc(larger.bucket_count, sizeof *larger.buckets);
  if (larger.buckets == NULL) return; /* longer chains, then */
  for (size_t i = 0; i < t->bucket_count; i++)
    for (struct node *node = t->buckets[i], *next; node != NULL; node = next) {
      size_t at = hash(&larger, node->parent, node->name, node->length);
      next = node->hash_next;
      node->hash_next = larger.buckets[at];
      larger.buckets[at] = node;
    }
  free(t->buckets);
  t->buckets = larger.buckets;
  t->bucket_count = larger.bucket_count;
}

struct node *watch_child(struct watch_tree *t, struct node *parent, const char *name, bool make) {
  size_t length = strlen(name), at = hash(t, parent, name, length);
  for (struct node *node = t->buckets[at]; node != NULL; node = node->hash_next)
    if (node->parent == parent && node->length == length && memcmp(node->name, name, length) == 0) return node;
  struct node *node = make ? new_node(parent, name, length) : NULL;
  if (node == NULL) return NULL;
  node->hash_next = t->buckets[at];
  t->buckets[at] = node;
  node->next = parent->first;
  if (parent->first != NULL) parent->first->previous = node;
  parent->first = node;
  if (++t->count > t->bucket_count) grow(t);
  return node;
}

void watch_changed(struct watch_tree *t, struct node *node) {
  if (node->changed) return;
  node->changed = true;
  node->changed_next = t->changed;
  t->changed = node;
}

void watch_set_own(struct watch_tree *t, struct node *node, char own) {
  node->own = own;
  for (; node->parent != NULL; node = node->parent) {
    /* A directory is a change when anything in it is. */
    char letter = node->own != 0 ? node->own : node->directory && node->below > 0 ? 'C' : 0;
    watch_changed(t, node);
    if ((letter == 0) != (node->letter == 0)) node->parent->below += letter != 0 ? 1 : -1;
    bool through = letter != node->letter;
    node->letter = letter;
    if (!through) return;
  }
}

void watch_drop(struct watch_tree *t, struct node *node) {
  while (node->parent != NULL && !node->directory && node->letter == 0 && node->told == 0 && node->first == NULL && !node->dirty && !node->busy &&
         !node->changed && node->open == 0) {
    struct node *parent = node->parent, **at = &t->buckets[hash(t, parent, node->name, node->length)];
    while (*at != node) at = &(*at)->hash_next;
    *at = node->hash_next;
    if (node->previous != NULL) node->previous->next = node->next;
    else parent->first = node->next;
    if (node->next != NULL) node->next->previous = node->previous;
    free(node->layers);
    free(node->link);
    free(node);
    t->count--;
    node = parent;
  }
}

char *watch_path(const struct node *node, char *space, size_t capacity) {
  size_t at = capacity;
  if (at == 0) return NULL;
  space[--at] = 0;
  for (bool first = true; node->parent != NULL; node = node->parent, first = false) {
    if (at < (size_t)node->length + 2) return NULL;
    if (!first) space[--at] = '/';
    at -= node->length;
    memcpy(space + at, node->name, node->length);
  }
  return space + at;
}
