/** Makes the sentences of err.h; what does not fit is cut, never written past the end. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int number, const char *format, ...) {
  va_list args;
  e->number = number;
  va_start(args, format);
  int used = vsnprintf(e->text, sizeof e->text, format, args);
  va_end(args);
  if (used < 0) used = 0;
  if (number != 0 && (size_t)used < sizeof e->text)
    snprintf(e->text + used, sizeof e->text - (size_t)used, ": %s", strerror(number));
  return -1;
}

int err_in(struct err *e, const char *format, ...) {
  char before[sizeof e->text];
  char after[sizeof e->text];
  va_list args;
  va_start(args, format);
  vsnprintf(before, sizeof before, format, args);
  va_end(args);
  memcpy(after, e->text, sizeof after);
  size_t length = strlen(before);
  memcpy(e->text, before, length);
  snprintf(e->text + length, sizeof e->text - length, ": %s", after);
  return -1;
}
