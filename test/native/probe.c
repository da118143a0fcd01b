/** What a hostile program inside a container tries. Prints the outcome as a word: "done", or the errno's name. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int outcome(long result) {
  printf("%s\n", result >= 0 ? "done" : strerrorname_np(errno));
  return 0;
}

/** Makes a device node and reads from it: the node alone does no harm. */
static int device(const char *path, char type, int major, int minor) {
  char byte;
  if (mknod(path, (type == 'b' ? S_IFBLK : S_IFCHR) | 0600, makedev(major, minor)) < 0) return outcome(-1);
  int fd = open(path, O_RDONLY | O_NONBLOCK);
  return outcome(fd < 0 ? -1 : read(fd, &byte, 1));
}

/** The classic way out of a chroot: a second one while a directory above it is open. */
static int chroot_escape(void) {
  int above = open("/", O_RDONLY | O_DIRECTORY);
  if (mkdir("/tmp/jail", 0755) < 0 && errno != EEXIST) return outcome(-1);
  if (chroot("/tmp/jail") < 0 || fchdir(above) < 0) return outcome(-1);
  for (int i = 0; i < 64; i++)
    if (chdir("..") < 0) return outcome(-1);
  if (chroot(".") < 0) return outcome(-1);
  printf("%s\n", access("/inside-the-container", F_OK) == 0 ? "inside" : "outside");
  return 0;
}

static int descriptors(void) {
  for (int fd = 0; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd);
  printf("\n");
  return 0;
}

static int compat_call(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20)); /* getpid of i386 */
  printf("%ld\n", result);
#endif
  return 0;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  long number = argc > 2 ? strtol(argv[2], NULL, 0) : 0;
  if (strcmp(what, "call") == 0) return outcome(syscall(number, argc > 3 ? strtol(argv[3], NULL, 0) : 0, 0, 0, 0, 0, 0));
  if (strcmp(what, "device") == 0) return device(argv[2], argv[3][0], atoi(argv[4]), atoi(argv[5]));
  if (strcmp(what, "type-into-terminal") == 0) return outcome(ioctl(0, TIOCSTI, "x"));
  if (strcmp(what, "user-namespace") == 0) return outcome(unshare(CLONE_NEWUSER));
  if (strcmp(what, "clone-user-namespace") == 0) return outcome(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  if (strcmp(what, "mount") == 0) return outcome(mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
  if (strcmp(what, "remount") == 0) return outcome(mount(NULL, argv[2], NULL, MS_REMOUNT | MS_BIND, NULL));
  if (strcmp(what, "unmount") == 0) return outcome(umount2(argv[2], MNT_DETACH));
  if (strcmp(what, "trace") == 0) return outcome(ptrace(PTRACE_ATTACH, number, 0, 0));
  if (strcmp(what, "kill") == 0) return outcome(kill((pid_t)number, 0));
  if (strcmp(what, "write") == 0) {
    int fd = open(argv[2], O_WRONLY);
    return outcome(fd < 0 ? -1 : write(fd, "1", 1));
  }
  if (strcmp(what, "chroot") == 0) return chroot_escape();
  if (strcmp(what, "descriptors") == 0) return descriptors();
  if (strcmp(what, "compat") == 0) return compat_call();
  if (strcmp(what, "ids") == 0) return printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid()) < 0;
  if (strcmp(what, "raise") == 0) return raise((int)number);
  return 2;
}
