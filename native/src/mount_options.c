/** The table of option words; what is not in it is data for the file system, which refuses what it does not know. */
#include "mount_options.h"

#include <string.h>
#include <sys/mount.h>

#include "sys.h"

static const struct { const char *word; unsigned set, clear; } attributes[] = {
    {"ro", ATTR_RDONLY, 0},          {"rw", 0, ATTR_RDONLY},          {"rro", ATTR_RDONLY, 0},
    {"nosuid", ATTR_NOSUID, 0},      {"suid", 0, ATTR_NOSUID},        {"nodev", ATTR_NODEV, 0},
    {"dev", 0, ATTR_NODEV},          {"noexec", ATTR_NOEXEC, 0},      {"exec", 0, ATTR_NOEXEC},
    {"relatime", 0, ATTR_ATIME_MASK}, {"noatime", ATTR_NOATIME, ATTR_ATIME_MASK}, {"strictatime", ATTR_STRICTATIME, ATTR_ATIME_MASK},
    {"nodiratime", ATTR_NODIRATIME, 0}, {"diratime", 0, ATTR_NODIRATIME}, {"defaults", 0, 0},
    {"async", 0, 0}, {"norelatime", 0, 0}, {"atime", 0, 0},
};
static const struct { const char *word; uint64_t propagation; } propagations[] = {
    {"private", 0}, {"rprivate", 0}, {"slave", MS_SLAVE}, {"rslave", MS_SLAVE}};

static bool attribute(const char *word, struct mount_options *o) {
  for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
    if (strcmp(attributes[i].word, word) != 0) continue;
    o->set = (o->set & ~attributes[i].clear) | attributes[i].set;
    o->clear = (o->clear & ~attributes[i].set) | attributes[i].clear;
    return true;
  }
  return false;
}

static bool propagation(const char *word, struct mount_options *o) {
  for (size_t i = 0; i < sizeof propagations / sizeof propagations[0]; i++) {
    if (strcmp(propagations[i].word, word) != 0) continue;
    o->propagation = propagations[i].propagation;
    return true;
  }
  return false;
}

int mount_options_read(const struct list *words, struct mount_options *o, struct err *e) {
  *o = (struct mount_options){0};
  for (uint32_t i = 0; i < words->count; i++) {
    const char *word = words->items[i];
    if (strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0) {
      o->bind = true;
      o->recursive |= word[0] == 'r';
      continue;
    }
    if (attribute(word, o) || propagation(word, o)) continue;
    if (strstr(word, "shared") != NULL || strstr(word, "unbindable") != NULL)
      return err_set(e, 0, "mount option %.60s would let the container reach the host's mounts", word);
    if (o->count == MAX_DATA) return err_set(e, 0, "more than %d mount options", MAX_DATA);
    o->data[o->count++] = word;
  }
  return 0;
}
