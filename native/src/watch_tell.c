/** What was told and what is now are compared once a batch: a file that was made and removed meanwhile is never heard of. */
#include "watch_tell.h"

#include <errno.h>
#include <string.h>

enum { WRITE_AT = 1 << 16 };

static void tell_reasons(struct out *o, unsigned why) {
  static const struct { unsigned flag; const char *word; } words[] = {
      {WHY_TYPE, "type"}, {WHY_MODE, "mode"}, {WHY_OWNER, "owner"}, {WHY_DEVICE, "device"}, {WHY_CONTENT, "content"}, {WHY_TIME, "time"}, {WHY_XATTR, "xattr"}};
  out_key(o, "reasons");
  out_open(o, '[');
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (why & words[i].flag) out_string(o, words[i].word, strlen(words[i].word));
  out_close(o, ']');
}

static int64_t seconds(int64_t nanoseconds) { return nanoseconds >= 0 ? nanoseconds / 1000000000 : -((-nanoseconds + 999999999) / 1000000000); }

/** At least so many bytes were written since the last line: what it grew by, or all of it where it shrank. */
static int64_t written(const struct node *node) {
  if (!S_ISREG(node->mode) || node->letter == 'D') return 0;
  bool fresh = node->told == 0 || node->told == 'D';
  int64_t before = !fresh ? node->told_size : node->letter == 'C' ? node->below_size : 0;
  return node->size >= before ? node->size - before : node->size;
}

static void line(struct watch *w, struct out *o, const struct node *node) {
  char op[2] = {node->letter != 0 ? node->letter : '-', 0};
  const char *path = watch_full_path(w, node);
  if (path == NULL) return;
  out_open(o, '{');
  out_text(o, "op", op);
  out_path(o, "path", path, strlen(path));
  if (node->letter != 0) {
    out_text(o, "type", upper_type(node->mode));
    out_number(o, "size", node->size);
    out_number(o, "mtime", seconds(node->mtime));
    out_number(o, "nsec", node->mtime - seconds(node->mtime) * 1000000000);
    out_number(o, "mode", node->mode & 07777);
    out_number(o, "uid", node->uid);
    out_number(o, "gid", node->gid);
    out_number(o, "written", written(node));
    out_number(o, "writes", node->writes);
    if (node->layer >= 0) {
      out_number(o, "lower", node->layer);
      out_number(o, "lowerSize", node->below_size);
    }
    if (node->link != NULL) out_path(o, "link", node->link, strlen(node->link));
    if (node->letter == 'C') tell_reasons(o, node->why);
  }
  out_close(o, '}');
  out_line(o);
}

static bool different(const struct node *node) {
  if (node->letter != node->told) return true;
  if (node->letter == 0) return false;
  if (node->mode != node->told_mode || node->uid != node->told_uid || node->gid != node->told_gid || node->why != node->told_why) return true;
  if (node->link != NULL && !node->link_told) return true;
  return !S_ISDIR(node->mode) && (node->size != node->told_size || node->mtime != node->told_mtime);
}

static int settle(struct watch *w, struct out *o, struct node *node, int64_t now) {
  int lines = 0;
  if (node->parent == NULL || !node->changed || !different(node)) return 0;
  /* What a directory says of itself comes before what is in it; what it is no longer, after. */
  if (node->letter != 0 && node->parent->letter != 0 && (lines = settle(w, o, node->parent, now)) < 0) return -1;
  line(w, o, node);
  if (node->open != 0) watch_open_file(w, node, now);
  node->told = node->letter;
  node->told_mode = node->mode;
  node->told_uid = node->uid;
  node->told_gid = node->gid;
  node->told_why = node->why;
  node->link_told = true;
  node->told_size = node->size;
  node->told_mtime = node->mtime;
  node->writes = 0;
  if (o->length >= WRITE_AT && out_write(o, 1) < 0) return err_set(w->e, errno, "write the answer");
  return lines + 1;
}

long watch_tell(struct watch *w, struct out *o, int64_t now) {
  long lines = 0;
  for (struct node *node = w->tree.changed; node != NULL; node = node->changed_next) {
    int told = settle(w, o, node, now);
    if (told < 0) return -1;
    lines += told;
  }
  for (struct node *node = w->tree.changed, *next; node != NULL; node = next) {
    next = node->changed_next;
    node->changed = false;
    watch_drop(&w->tree, node);
  }
  w->tree.changed = NULL;
  return lines;
}
