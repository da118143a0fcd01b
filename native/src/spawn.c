/** clone3, its fallback, and the table of why user namespaces fail. */
#include "spawn.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "init.h"
#include "own.h"
#include "sys.h"

static long sysctl_number(const char *path) {
  char text[24] = "";
  OWN_FD fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) return -1;
  return strtol(text, NULL, 10);
}

static int explain(int flags, int number, struct err *e) {
  if ((flags & CLONE_NEWUSER) == 0) return err_set(e, number, "make the container's namespaces");
  if (sysctl_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
    return err_set(e, 0, "user namespaces are switched off here: sysctl kernel.unprivileged_userns_clone=1 switches them on");
  if (number == ENOSPC) return err_set(e, 0, "no more user namespaces are allowed: see sysctl user.max_user_namespaces");
  if (number == EPERM) return err_set(e, 0, "this process may not make user namespaces (are we in a container with a system call filter?)");
  return err_set(e, number, "make a user namespace");
}

pid_t spawn_namespaces(int flags, int *into, int *pidfd, struct err *e) {
  struct clone_args_ args = {.flags = (uint64_t)flags | CLONE_PIDFD_, .pidfd = (uint64_t)(uintptr_t)pidfd, .exit_signal = flags & CLONE_PARENT ? 0 /* its own would be refused: that of its sister is taken */ : SIGCHLD};
  long pid = -1;
  if (into != NULL && *into >= 0) {
    struct clone_args_ born = args;
    born.flags |= CLONE_INTO_CGROUP_;
    born.cgroup = (uint64_t)*into;
    pid = sys_clone3(&born);
    if (pid < 0) *into = -1;
  }
  if (pid < 0) pid = sys_clone3(&args);
  if (pid < 0 && errno == ENOSYS) {
#ifdef __x86_64__
    pid = syscall(SYS_clone, (unsigned long)flags | CLONE_PIDFD_ | SIGCHLD, NULL, pidfd, NULL, 0);
#else
    pid = syscall(SYS_clone, (unsigned long)flags | CLONE_PIDFD_ | SIGCHLD, NULL, pidfd, 0, NULL);
#endif
  }
  return pid < 0 ? explain(flags, errno, e) : (pid_t)pid;
}

static int in_child(spawn_work *job, void *argument, const struct idmaps *maps, int go) {
  char byte;
  if (read(go, &byte, 1) != 1) return ERR_SETUP;
  close(go);
  if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) return ERR_SETUP;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return job(argument, maps);
}

static volatile sig_atomic_t working_pid;

static void pass_on(int signal_number) { kill((pid_t)working_pid, signal_number); }

/** The job is told what we are told, so that it can take back what it began. */
static void pass_signals_to(pid_t pid) {
  struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
  working_pid = pid;
  const int passed[] = {SIGTERM, SIGINT, SIGHUP};
  for (int i = 0; i < 3; i++) sigaction(passed[i], &action, NULL);
}

int spawn_job(spawn_work *job, void *argument, struct err *e) {
  if (geteuid() == 0) return job(argument, NULL);
  struct idmaps maps;
  int ends[2], pidfd = -1, status;
  if (idmaps_of_caller(&maps, e) < 0) return -1;
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(e, errno, "pipe");
  pid_t pid = spawn_namespaces(CLONE_NEWUSER, NULL, &pidfd, e);
  if (pid == 0) {
    close(ends[1]);
    _exit(in_child(job, argument, &maps, ends[0]));
  }
  close(ends[0]);
  if (pid > 0) pass_signals_to(pid);
  bool mapped = pid > 0 && idmaps_write(&maps, pid, e) == 0;
  if (mapped && write(ends[1], "", 1) != 1) mapped = false;
  close(ends[1]);
  if (pid < 0) return -1;
  close(pidfd);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return mapped ? init_status(status) : -1;
}
