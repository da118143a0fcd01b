/**
 * Runs while building: reads seccomp.profile, writes a C header with one BPF program per architecture. A binary search
 * over the refused numbers, so a call costs about log2 of them; every leaf carries its own answer.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RULES = 128, MAX_CODE = 1024, MAX_VALUES = 16 };
enum { LOAD = 0x20, JEQ = 0x15, JGT = 0x25, JGE = 0x35, JSET = 0x45, RETURN = 0x06 };
enum { NR = 0, ARCH = 4, ARGUMENTS = 16 };
#define ALLOW 0x7fff0000u
#define KILL 0x80000000u
#define ANSWER(number) (0x00050000u | (uint32_t)(number))

struct rule {
  long number[2];
  uint32_t answer;
  int argument; /* -1: no condition */
  int has, unless;
  uint32_t values[MAX_VALUES];
  int count;
};
struct instruction {
  unsigned code, yes, no;
  uint32_t k;
};

static struct rule rules[MAX_RULES];
static int rule_count;
static uint32_t last;
static struct instruction code[MAX_CODE];
static int length;

static void stop(const char *what, const char *line) {
  fprintf(stderr, "seccomp.profile: %s: %s\n", what, line);
  exit(1);
}

static int emit(unsigned op, uint32_t k, unsigned yes, unsigned no) {
  if (length == MAX_CODE) stop("too long", "the program");
  code[length] = (struct instruction){op, yes, no, k};
  return length++;
}

static void parse_condition(struct rule *r, char **save, const char *line) {
  char *word = strtok_r(NULL, " \n", save);
  r->argument = -1;
  if (word == NULL) return;
  r->unless = strcmp(word, "unless") == 0;
  char *argument = strtok_r(NULL, " \n", save), *relation = strtok_r(NULL, " \n", save);
  if ((!r->unless && strcmp(word, "if") != 0) || argument == NULL || relation == NULL || strncmp(argument, "arg", 3) != 0)
    stop("a bad condition", line);
  r->argument = argument[3] - '0';
  r->has = strcmp(relation, "has") == 0;
  for (char *value; (value = strtok_r(NULL, " \n", save)) != NULL;) {
    if (r->count == MAX_VALUES) stop("too many values", line);
    r->values[r->count++] = (uint32_t)strtoul(value, NULL, 0);
  }
  if (r->count == 0 || r->argument < 0 || r->argument > 5) stop("a bad condition", line);
}

static void parse(char *line) {
  char copy[256], *save;
  snprintf(copy, sizeof copy, "%s", line);
  char *word = strtok_r(line, " \n", &save);
  if (word == NULL || word[0] == '#') return;
  if (strcmp(word, "last") == 0) {
    last = (uint32_t)strtoul(save, NULL, 10);
    return;
  }
  struct rule *r = &rules[rule_count++];
  char *name = strtok_r(NULL, " \n", &save), *numbers[2] = {strtok_r(NULL, " \n", &save), strtok_r(NULL, " \n", &save)};
  char *answer = strtok_r(NULL, " \n", &save);
  if (strcmp(word, "refuse") != 0 || name == NULL || answer == NULL || rule_count == MAX_RULES) stop("a bad line", copy);
  for (int i = 0; i < 2; i++) r->number[i] = numbers[i][0] == '-' ? -1 : strtol(numbers[i], NULL, 10);
  r->answer = strcmp(answer, "ENOSYS") == 0 ? ANSWER(ENOSYS) : ANSWER(EPERM);
  parse_condition(r, &save, copy);
}

/** What happens once the number is known to be the rule's: every path returns. */
static void leaf(const struct rule *r) {
  if (r->argument < 0) {
    emit(RETURN, r->answer, 0, 0);
    return;
  }
  emit(LOAD, ARGUMENTS + 8 * (uint32_t)r->argument, 0, 0);
  for (int i = 0; i < r->count; i++) emit(r->has ? JSET : JEQ, r->values[i], (unsigned)(r->count - i), 0);
  emit(RETURN, r->unless ? r->answer : ALLOW, 0, 0);
  emit(RETURN, r->unless ? ALLOW : r->answer, 0, 0);
}

static void search(struct rule **sorted, int count, int arch) {
  if (count > 3) {
    int half = count / 2, jump = emit(JGE, (uint32_t)sorted[half]->number[arch], 0, 0), start = length;
    search(sorted, half, arch);
    if (length - start > 255) stop("a jump too far", "split the search");
    code[jump].yes = (unsigned)(length - start);
    search(sorted + half, count - half, arch);
    return;
  }
  for (int i = 0; i < count; i++) {
    int jump = emit(JEQ, (uint32_t)sorted[i]->number[arch], 0, 0), start = length;
    leaf(sorted[i]);
    code[jump].no = (unsigned)(length - start);
  }
  emit(RETURN, ALLOW, 0, 0);
}

static int arch_of_sort;
static int by_number(const void *a, const void *b) {
  long x = (*(struct rule *const *)a)->number[arch_of_sort], y = (*(struct rule *const *)b)->number[arch_of_sort];
  return x < y ? -1 : x > y;
}

static void program(int arch, uint32_t audit, const char *macro) {
  struct rule *sorted[MAX_RULES];
  int count = 0;
  for (int i = 0; i < rule_count; i++)
    if (rules[i].number[arch] >= 0) sorted[count++] = &rules[i];
  arch_of_sort = arch;
  qsort(sorted, (size_t)count, sizeof sorted[0], by_number);
  length = 0;
  emit(LOAD, ARCH, 0, 0);
  emit(JEQ, audit, 1, 0);
  emit(RETURN, KILL, 0, 0);
  emit(LOAD, NR, 0, 0);
  emit(JGT, last, 0, 1); /* x32 numbers, which start at 1 << 30, are above it too */
  emit(RETURN, ANSWER(ENOSYS), 0, 0);
  search(sorted, count, arch);
  printf("#ifdef %s\nstatic const struct bpf seccomp_filter[] = {\n", macro);
  for (int i = 0; i < length; i++) printf("  {0x%02x, %u, %u, 0x%08xu},\n", code[i].code, code[i].yes, code[i].no, code[i].k);
  printf("};\n#endif\n");
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (file == NULL) stop("can not be read", argc == 2 ? argv[1] : "");
  char line[256];
  while (fgets(line, sizeof line, file) != NULL) parse(line);
  fclose(file);
  if (last == 0 || rule_count == 0) stop("nothing in it", argv[1]);
  program(0, 0xc000003eu, "__x86_64__");
  program(1, 0xc00000b7u, "__aarch64__");
  return 0;
}
