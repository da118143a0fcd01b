/** Numbers, PAX records and sparse maps, each bounded and checked where it is read. */
#include "tar_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int base256(const unsigned char *field, size_t length, int64_t *to) {
  bool negative = (field[0] & 0x40) != 0;
  uint64_t sum = negative ? ~0ULL : 0;
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = i == 0 ? (unsigned char)(negative ? field[0] | 0x80 : field[0] & 0x7f) : field[i];
    if ((sum >> 55) != (negative ? 0x1ffu : 0u)) return -1; /* the next shift would push a sign or a digit out */
    sum = sum << 8 | byte;
  }
  *to = (int64_t)sum;
  return 0;
}

int tar_number(const unsigned char *field, size_t length, int64_t *to) {
  if (field[0] & 0x80) return base256(field, length, to);
  size_t at = 0;
  int64_t sum = 0;
  while (at < length && (field[at] == ' ' || field[at] == 0)) at++;
  for (; at < length && field[at] >= '0' && field[at] <= '7'; at++) {
    if (sum > INT64_MAX >> 3) return -1;
    sum = sum << 3 | (field[at] - '0');
  }
  while (at < length && field[at] == ' ') at++;
  *to = sum;
  return at == length || field[at] == 0 ? 0 : -1; /* some writers leave old bytes behind the NUL */
}

int tar_decimal(const char *text, size_t length, int64_t *to) {
  int64_t sum = 0;
  if (length == 0) return -1;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9' || sum > (INT64_MAX - 9) / 10) return -1;
    sum = sum * 10 + (text[i] - '0');
  }
  *to = sum;
  return 0;
}

int pieces_add(struct pieces *p, int64_t offset, int64_t length, struct err *e) {
  if (p->count == TAR_MAX_PIECES) return err_set(e, 0, "a sparse file of more than %d pieces", TAR_MAX_PIECES);
  if (p->count == p->capacity) {
    int wanted = p->capacity * 2 + 16;
    struct tar_piece *grown = realloc(p->items, (size_t)wanted * sizeof *grown);
    if (grown == NULL) return err_set(e, ENOMEM, "sparse map");
    p->items = grown;
    p->capacity = wanted;
  }
  p->items[p->count++] = (struct tar_piece){offset, length};
  return 0;
}

int pieces_check(const struct pieces *p, int64_t size, int64_t stored, struct err *e) {
  int64_t at = 0, sum = 0;
  for (int i = 0; i < p->count; i++) {
    const struct tar_piece *one = &p->items[i];
    if (one->offset < at || one->length < 0 || one->offset > size || one->length > size - one->offset)
      return err_set(e, 0, "a sparse map that is out of order or leaves the file");
    at = one->offset + one->length;
    sum += one->length;
  }
  return sum == stored ? 0 : err_set(e, 0, "a sparse map of %lld bytes over a body of %lld", (long long)sum, (long long)stored);
}

/** "seconds[.fraction]", also negative; digits past nanoseconds are dropped. */
static int time_value(const char *text, size_t length, struct pax *p) {
  bool negative = length > 0 && text[0] == '-';
  size_t start = negative ? 1 : 0, dot = start;
  int64_t seconds = 0, fraction = 0;
  while (dot < length && text[dot] != '.') dot++;
  if (tar_decimal(text + start, dot - start, &seconds) < 0) return -1;
  int64_t scale = 100000000;
  for (size_t i = dot + 1; i < length; i++, scale /= 10) {
    if (text[i] < '0' || text[i] > '9') return -1;
    fraction += (text[i] - '0') * scale;
  }
  p->has_time = true;
  p->seconds = negative ? -seconds - (fraction > 0) : seconds;
  p->nanoseconds = (uint32_t)(negative && fraction > 0 ? 1000000000 - fraction : fraction);
  return 0;
}

static int sparse_map(const char *text, size_t length, struct pieces *pieces, struct err *e) {
  pieces->count = 0;
  for (size_t at = 0; at < length;) {
    int64_t pair[2];
    for (int k = 0; k < 2; k++) {
      size_t end = at;
      while (end < length && text[end] != ',') end++;
      if (tar_decimal(text + at, end - at, &pair[k]) < 0) return err_set(e, 0, "a sparse map that is none");
      at = end + 1;
    }
    if (pieces_add(pieces, pair[0], pair[1], e) < 0) return -1;
  }
  return 0;
}

static int id_value(const char *value, size_t length, bool *has, uint32_t *to, struct err *e) {
  int64_t number;
  if (tar_decimal(value, length, &number) < 0 || number >= UINT32_MAX) return err_set(e, 0, "an owner that is no id");
  *has = true;
  *to = (uint32_t)number;
  return 0;
}

static int xattr(struct pax *p, const char *name, const char *value, size_t length, struct err *e) {
  int at = 0;
  while (at < p->xattr_count && strcmp(p->xattrs[at].name, name) != 0) at++;
  if (at == TAR_MAX_XATTRS) return err_set(e, 0, "more than %d extended attributes", TAR_MAX_XATTRS);
  p->xattrs[at] = (struct tar_xattr){name, value, length};
  if (at == p->xattr_count) p->xattr_count++;
  return 0;
}

static int sparse_record(struct pax *p, const char *key, const char *value, size_t length, struct pieces *pieces, struct err *e) {
  int64_t number = 0;
  p->sparse = true;
  if (strcmp(key, "name") == 0) return p->sparse_name = (size_t)(value - p->text), 0;
  if (strcmp(key, "map") == 0) return sparse_map(value, length, pieces, e);
  if (tar_decimal(value, length, &number) < 0) return err_set(e, 0, "GNU.sparse.%.20s is no number", key);
  if (strcmp(key, "major") == 0) p->sparse_map_in_body = number == 1;
  if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0) p->real_size = number;
  if (strcmp(key, "offset") == 0) pieces->pending = number;
  if (strcmp(key, "numbytes") == 0) {
    if (pieces->pending < 0) return err_set(e, 0, "a sparse map that is none");
    int64_t offset = pieces->pending;
    pieces->pending = -1;
    return pieces_add(pieces, offset, number, e);
  }
  return 0;
}

/** One record; `value` ends in NUL at `length`, and holds one inside only where it is an extended attribute. */
static int record(struct pax *p, const char *key, const char *value, size_t length, struct pieces *pieces, struct err *e) {
  if (strncmp(key, "SCHILY.xattr.", 13) == 0) return xattr(p, key + 13, value, length, e);
  if (strlen(value) != length) return err_set(e, 0, "PAX record %.40s holds a NUL", key);
  if (strcmp(key, "path") == 0) p->path = (size_t)(value - p->text);
  if (strcmp(key, "linkpath") == 0) p->link = (size_t)(value - p->text);
  if (strcmp(key, "size") == 0) {
    if (tar_decimal(value, length, &p->size) < 0) return err_set(e, 0, "a size that is no number");
    p->has_size = true;
  }
  if (strcmp(key, "mtime") == 0 && time_value(value, length, p) < 0) return err_set(e, 0, "a time that is none");
  if (strcmp(key, "uid") == 0) return id_value(value, length, &p->has_uid, &p->uid, e);
  if (strcmp(key, "gid") == 0) return id_value(value, length, &p->has_gid, &p->gid, e);
  if (strncmp(key, "GNU.sparse.", 11) == 0) return sparse_record(p, key + 11, value, length, pieces, e);
  return 0;
}

/** Records are "LENGTH KEY=VALUE\n", LENGTH counting all of it. The text is cut into strings where it lies. */
int pax_read(struct pax *p, struct pieces *pieces, struct err *e) {
  for (size_t at = 1; at < p->length;) {
    size_t space = at;
    int64_t length;
    while (space < p->length && p->text[space] != ' ') space++;
    if (tar_decimal(p->text + at, space - at, &length) < 0 || length < 5 || (uint64_t)length > p->length - at || p->text[at + (size_t)length - 1] != '\n')
      return err_set(e, 0, "a PAX record of a wrong length");
    size_t end = at + (size_t)length - 1, equals = space + 1;
    while (equals < end && p->text[equals] != '=') equals++;
    if (equals >= end || equals == space + 1 || memchr(p->text + space, 0, equals - space) != NULL) return err_set(e, 0, "a PAX record without a key");
    p->text[equals] = 0;
    p->text[end] = 0;
    if (record(p, p->text + space + 1, p->text + equals + 1, end - equals - 1, pieces, e) < 0) return -1;
    at = end + 1;
  }
  return 0;
}

void pax_clear(struct pax *p) {
  free(p->text);
  *p = (struct pax){0};
}
