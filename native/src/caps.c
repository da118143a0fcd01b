/** capset and prctl, without libcap. */
#include "caps.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const names[] = {
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
    "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
    "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
    "PERFMON", "BPF", "CHECKPOINT_RESTORE"};

int caps_number(const char *name) {
  if (strncmp(name, "CAP_", 4) != 0) return -1;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(names[i], name + 4) == 0) return (int)i;
  return -1;
}

int caps_bound(uint64_t bounding, struct err *e) {
  for (int i = 0; i < 64; i++) {
    int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
    if (has < 0) break; /* past the last capability this kernel knows */
    if (has == 1 && (bounding >> i & 1) == 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
      return err_set(e, errno, "drop capability %d", i);
  }
  return 0;
}

bool caps_has(int number) {
  struct { uint32_t version; int pid; } header = {0x20080522, 0};
  struct { uint32_t effective, permitted, inheritable; } now[2];
  return syscall(SYS_capget, &header, now) == 0 && (now[number / 32].permitted >> number % 32 & 1) != 0;
}

int caps_set(uint64_t permitted, uint64_t effective, struct err *e) {
  struct { uint32_t version; int pid; } header = {0x20080522, 0};
  struct { uint32_t effective, permitted, inheritable; } old[2], data[2];
  if (syscall(SYS_capget, &header, old) < 0) return err_set(e, errno, "capget");
  /* What is not held can not be asked for: the set is cut to what there is, as crun and runc do. */
  uint64_t held = old[0].permitted | (uint64_t)old[1].permitted << 32;
  permitted &= held;
  effective &= permitted;
  for (int i = 0; i < 2; i++) {
    data[i].effective = (uint32_t)(effective >> 32 * i);
    data[i].permitted = (uint32_t)(permitted >> 32 * i);
    data[i].inheritable = 0;
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL) return err_set(e, errno, "clear ambient capabilities");
  if (syscall(SYS_capset, &header, data) < 0) return err_set(e, errno, "capset");
  return 0;
}
