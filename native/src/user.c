/**
 * Bounded readers of passwd and group: at most a mebibyte, opened without following a link out and without waiting on a
 * pipe (CVE-2024-9676), lines and groups counted (CVE-2026-47262).
 */
#include "user.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "own.h"
#include "sys.h"

enum { MAX_FILE = 1 << 20, FIELDS = 7 };

/** The whole file as a string; an absent or odd one is an empty string. NULL without memory. */
static char *whole(const char *path) {
  char *text = calloc(1, MAX_FILE + 1);
  if (text == NULL) return NULL;
  OWN_FD fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return text;
  for (size_t used = 0; used < MAX_FILE;) {
    ssize_t got = read(fd, text + used, MAX_FILE - used);
    if (got <= 0) break;
    used += (size_t)got;
  }
  return text;
}

/** Cuts the next line of `*rest` into its fields; gives how many there are, -1 at the end. */
static int next_line(char **rest, char *fields[FIELDS]) {
  if (*rest == NULL || **rest == 0) return -1;
  char *line = *rest, *end = strchr(line, '\n');
  *rest = end == NULL ? NULL : end + 1;
  if (end != NULL) *end = 0;
  int count = 0;
  while (line != NULL && count < FIELDS) {
    fields[count++] = line;
    line = strchr(line, ':');
    if (line != NULL) *line++ = 0;
  }
  return count;
}

/** A number of decimal digits only, below 2^32-1; anything else is a name (CVE-2024-40635: an overflow would be root). */
static bool number(const char *text, uint32_t *to) {
  uint64_t sum = 0;
  if (*text == 0) return false;
  for (const char *c = text; *c != 0; c++) {
    if (*c < '0' || *c > '9' || (sum = sum * 10 + (uint64_t)(*c - '0')) >= UINT32_MAX) return false;
  }
  *to = (uint32_t)sum;
  return true;
}

static bool all_digits(const char *text) { return *text != 0 && text[strspn(text, "0123456789")] == 0; }

struct found {
  bool user, group;
  char name[256];
};

static void passwd_line(struct spec *s, const char *wanted, bool by_number, char *fields[FIELDS], struct found *f, char home[256]) {
  uint32_t uid, gid;
  if (f->user || !number(fields[2], &uid) || !number(fields[3], &gid)) return;
  if (by_number ? uid != s->uid : strcmp(fields[0], wanted) != 0) return;
  f->user = true;
  s->uid = uid;
  if (!f->group) s->gid = gid;
  strncpy(f->name, fields[0], sizeof f->name - 1);
  strncpy(home, fields[5], 255);
}

static bool member(char *members, const char *name) {
  char *save;
  for (char *m = strtok_r(members, ",", &save); m != NULL; m = strtok_r(NULL, ",", &save))
    if (strcmp(m, name) == 0) return true;
  return false;
}

static int find_user(struct spec *s, const char *wanted, struct found *f, char home[256], struct err *e) {
  OWN_MEMORY char *text = whole("/etc/passwd");
  if (text == NULL) return err_set(e, ENOMEM, "/etc/passwd");
  char *rest = text, *fields[FIELDS];
  bool by_number = wanted == NULL || number(wanted, &s->uid);
  for (int count; (count = next_line(&rest, fields)) >= 0;)
    if (count >= 6) passwd_line(s, wanted, by_number, fields, f, home);
  if (!f->user && !by_number) return err_set(e, 0, "%s", all_digits(wanted) ? "the user's number is too large" : "the image has no user of that name");
  return 0;
}

static int find_groups(struct spec *s, const char *group, const struct found *f, struct err *e) {
  OWN_MEMORY char *text = whole("/etc/group");
  if (text == NULL) return err_set(e, ENOMEM, "/etc/group");
  char *rest = text, *fields[FIELDS];
  bool found = group != NULL && number(group, &s->gid);
  for (int count; (count = next_line(&rest, fields)) >= 0;) {
    uint32_t gid;
    if (count < 3 || !number(fields[2], &gid)) continue;
    if (group != NULL) {
      if (!found && strcmp(fields[0], group) == 0) found = true, s->gid = gid;
    } else if (count > 3 && f->user && f->name[0] != 0 && s->group_count < MAX_GROUPS && member(fields[3], f->name)) {
      s->groups[s->group_count++] = gid;
    }
  }
  return group != NULL && !found ? err_set(e, 0, "the image has no group of that name") : 0;
}

int user_look_up(struct spec *s, char home[256], struct err *e) {
  struct found f = {0};
  memset(home, 0, 256);
  if (s->user == NULL || s->user[0] == 0) {
    f.group = true; /* both ids were given: only the home directory is wanted */
    return find_user(s, NULL, &f, home, e);
  }
  char name[256];
  const char *colon = strchr(s->user, ':');
  size_t length = colon == NULL ? strlen(s->user) : (size_t)(colon - s->user);
  if (length >= sizeof name) return err_set(e, 0, "the user's name is too long");
  memcpy(name, s->user, length);
  name[length] = 0;
  if (find_user(s, name[0] == 0 ? "0" : name, &f, home, e) < 0) return err_in(e, "user %.100s", s->user);
  if (find_groups(s, colon == NULL || colon[1] == 0 ? NULL : colon + 1, &f, e) < 0) return err_in(e, "user %.100s", s->user);
  /* Its own group too, or it could shake off rights that a file takes from that group (CVE-2022-36109). */
  if (s->group_count < MAX_GROUPS) s->groups[s->group_count++] = s->gid;
  return 0;
}
