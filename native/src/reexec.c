/** memfd, sendfile, seal, execveat; where sealed memory must not be executed (vm.memfd_noexec=2), a file that has no name. */
#include "reexec.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "own.h"
#include "sys.h"

extern char **environ;

enum { ADD_SEALS = 1033, GET_SEALS = 1034, SEALS = 0x0f /* SEAL SHRINK GROW WRITE */, SEAL_EXEC = 0x20, MEMFD_EXEC = 0x10 };

static bool sealed(int self) {
  int seals = fcntl(self, GET_SEALS);
  if (seals >= 0) return (seals & SEALS) == SEALS;
  struct stat st;
  return fstat(self, &st) == 0 && st.st_nlink == 0 && (st.st_mode & 0222) == 0; /* our nameless file */
}

static int copy(int from, int to, struct err *e) {
  struct stat st;
  if (fstat(from, &st) < 0) return err_set(e, errno, "read /proc/self/exe");
  for (off_t at = 0; at < st.st_size;)
    if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0) return err_set(e, errno, "copy /proc/self/exe");
  return 0;
}

static int in_memory(int self, struct err *e) {
  OWN_FD memory = memfd_create("strata-native", MFD_CLOEXEC | MFD_ALLOW_SEALING | MEMFD_EXEC);
  if (memory < 0) memory = memfd_create("strata-native", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return err_set(e, errno, "memfd_create");
  if (copy(self, memory, e) < 0) return -1;
  if (fcntl(memory, ADD_SEALS, SEALS | SEAL_EXEC) < 0 && fcntl(memory, ADD_SEALS, SEALS) < 0) return err_set(e, errno, "seal the copy");
  return own_give(&memory);
}

static int nameless(int self, struct err *e) {
  const char *places[] = {getenv("XDG_RUNTIME_DIR"), "/run", "/tmp"};
  for (int i = 0; i < 3; i++) {
    OWN_FD writer = places[i] == NULL ? -1 : open(places[i], O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0500);
    if (writer < 0) continue;
    if (copy(self, writer, e) < 0) return -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", writer);
    return open(path, O_RDONLY | O_CLOEXEC);
  }
  return err_set(e, 0, "no place for a copy of the helper that nobody can write to");
}

int reexec_sealed(char **argv, struct err *e) {
  OWN_FD self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self < 0) return err_set(e, errno, "open /proc/self/exe");
  if (sealed(self)) return 0;
  OWN_FD memory = in_memory(self, e);
  if (memory >= 0) syscall(SYS_execveat, memory, "", argv, environ, AT_EMPTY_PATH);
  OWN_FD file = nameless(self, e);
  if (file < 0) return -1;
  syscall(SYS_execveat, file, "", argv, environ, AT_EMPTY_PATH);
  return err_set(e, errno, "run a sealed copy of the helper");
}

static void close_from(int first, int last) {
  if (first > last || sys_close_range((unsigned)first, last < 0 ? ~0u : (unsigned)last, 0) == 0) return;
  for (int fd = first; fd <= last && fd < 65536; fd++) close(fd);
}

int reexec_clean(int keep, struct err *e) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return err_set(e, errno, "open /dev/null");
  if (keep >= 3) {
    close_from(3, keep - 1);
    close_from(keep + 1, 1 << 30);
    if (fcntl(keep, F_SETFD, FD_CLOEXEC) < 0) return err_set(e, errno, "descriptor %d", keep);
  } else {
    close_from(3, 1 << 30);
  }
  /* A parent that ignores SIGCHLD would have the kernel reap our children before we can. */
  signal(SIGCHLD, SIG_DFL);
  umask(022);
  return 0;
}
