/** moby's restartmanager. */
#include "again.h"

#include <string.h>

enum { FIRST = 100, MOST = 60000, LONG_ENOUGH = 10000 };

int again_policy_of(const char *word) {
  if (strcmp(word, "no") == 0) return AGAIN_NO;
  if (strcmp(word, "on-failure") == 0) return AGAIN_ON_FAILURE;
  return strcmp(word, "always") == 0 || strcmp(word, "unless-stopped") == 0 ? AGAIN_ALWAYS : -1;
}

int64_t again_after(struct again *a, int64_t code, int64_t lived) {
  if (a->policy == AGAIN_NO) return -1;
  if (a->policy == AGAIN_ON_FAILURE && (code == 0 || (a->most > 0 && a->count >= a->most))) return -1;
  if (lived >= LONG_ENOUGH) a->pause = 0;
  a->pause = a->pause == 0 ? FIRST : a->pause * 2 > MOST ? MOST : a->pause * 2;
  a->count++;
  return a->pause;
}
