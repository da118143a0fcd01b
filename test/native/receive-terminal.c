/** Listens on a console socket, takes the terminal that is handed over there, and speaks with who is on it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void await(int terminal, const char *what) {
  char said[4096] = "";
  size_t used = 0;
  while (strstr(said, what) == NULL && used < sizeof said - 1) {
    ssize_t got = read(terminal, said + used, sizeof said - 1 - used);
    if (got <= 0) return;
    used += (size_t)got;
  }
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (argc < 2) return 2;
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || chmod(argv[1], 0777) < 0 || listen(listener, 1) < 0) return 1;
  puts("listening");
  fflush(stdout);
  int caller = accept(listener, NULL, NULL), terminal;
  char name[100], control[CMSG_SPACE(sizeof terminal)];
  struct iovec part = {name, sizeof name};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(caller, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == NULL) return 1;
  memcpy(&terminal, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof terminal);
  await(terminal, "ready");
  if (write(terminal, "keys\r", 5) != 5) return 1;
  await(terminal, "<keys>");
  puts(isatty(terminal) ? "a terminal" : "no terminal");
  return 0;
}
