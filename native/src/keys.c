/** A matcher of one short sequence. */
#include "keys.h"

#include <string.h>

/** One key of the list, `length` characters: itself, or "ctrl-" and a letter or one of @ [ \ ] ^ _ ; -1 for none. */
static int key(const char *text, size_t length) {
  if (length == 1) return (unsigned char)text[0];
  if (length != 6 || strncmp(text, "ctrl-", 5) != 0) return -1;
  char c = text[5];
  if (c >= 'a' && c <= 'z') return c - 'a' + 1;
  return c >= '@' && c <= '_' ? c - '@' : -1;
}

int keys_read(struct keys *k, const char *text, struct err *e) {
  *k = (struct keys){0};
  while (*text != 0) {
    size_t length = strcspn(text, ",");
    int found = key(text, length);
    if (found < 0 || k->count == KEYS_MOST) {
      e->status = ERR_USAGE;
      return err_set(e, 0, "--detach-keys takes keys like ctrl-p,ctrl-q and not %.60s", text);
    }
    k->bytes[k->count++] = (char)found;
    text += length;
    if (*text == ',') text++;
  }
  return 0;
}

/** Of what was held back and the byte that did not match: how much of its end may still begin the sequence. */
static size_t fall_back(const struct keys *k, const char *held, size_t length) {
  for (size_t keep = length < k->count ? length : k->count - 1; keep > 0; keep--)
    if (memcmp(held + length - keep, k->bytes, keep) == 0) return keep;
  return 0;
}

bool keys_pass(struct keys *k, const char *typed, size_t length, char *to, size_t *passed) {
  *passed = 0;
  for (size_t i = 0; i < length; i++) {
    char held[KEYS_MOST + 1];
    memcpy(held, k->bytes, k->matched);
    held[k->matched] = typed[i];
    size_t count = k->matched + 1;
    if (k->count > 0 && typed[i] == k->bytes[k->matched]) {
      if (++k->matched == k->count) return true;
      continue;
    }
    k->matched = k->count == 0 ? 0 : fall_back(k, held, count);
    memcpy(to + *passed, held, count - k->matched);
    *passed += count - k->matched;
  }
  return false;
}

size_t keys_release(struct keys *k, char *to) {
  size_t held = k->matched;
  memcpy(to, k->bytes, held);
  k->matched = 0;
  return held;
}
