/** `answer tcp|udp PORT`: answers each line, or datagram, with the address it came from and what it was. For tests of networks. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int answer(char *to, size_t room, const struct sockaddr_in *from, const char *said, long length) {
  char address[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &from->sin_addr, address, sizeof address);
  return snprintf(to, room, "%s %.*s\n", address, (int)strcspn(said, "\r\n") < length ? (int)strcspn(said, "\r\n") : (int)length, said);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  int udp = strcmp(argv[1], "udp") == 0, on = 1;
  int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))}, from;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || (!udp && listen(fd, 64) < 0)) return perror("bind"), 1;
  for (;;) {
    char said[2048] = "", reply[2200];
    socklen_t length = sizeof from;
    if (udp) {
      long got = recvfrom(fd, said, sizeof said - 1, 0, (struct sockaddr *)&from, &length);
      if (got >= 0) sendto(fd, reply, (size_t)answer(reply, sizeof reply, &from, said, got), 0, (struct sockaddr *)&from, length);
      continue;
    }
    int one = accept(fd, (struct sockaddr *)&from, &length);
    if (one < 0) return 1;
    long got = read(one, said, sizeof said - 1);
    if (got >= 0 && write(one, reply, (size_t)answer(reply, sizeof reply, &from, said, got)) < 0) perror("write");
    close(one);
  }
}
