/** termios and window sizes of terminal.h. */
#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

void terminal_raw(struct terminal *t) {
  t->raw = false;
  if (tcgetattr(0, &t->saved) < 0) return;
  struct termios changed = t->saved;
  cfmakeraw(&changed);
  t->raw = tcsetattr(0, TCSANOW, &changed) == 0;
}

void terminal_restore(struct terminal *t) {
  if (t->raw) tcsetattr(0, TCSANOW, &t->saved);
  t->raw = false;
}

bool terminal_size(unsigned short *columns, unsigned short *rows) {
  struct winsize size;
  if (ioctl(0, TIOCGWINSZ, &size) < 0) return false;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return true;
}

void terminal_size_into(struct spec *s) {
  unsigned short columns, rows;
  if (!s->terminal || s->rows > 0 || s->columns > 0 || !terminal_size(&columns, &rows)) return;
  s->rows = rows;
  s->columns = columns;
}
