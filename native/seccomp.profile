# The system calls a container may not make. Everything up to `last` that is not named here is allowed; everything above
# `last` did not exist when this was written and gets ENOSYS, so that programs fall back as they do on an old kernel.
# Another architecture than the one we were built for ends the process; x32 calls get ENOSYS.
#
# refuse NAME AMD64 ARM64 ERRNO [if|unless ARG has MASK | ARG in NUMBER...]      a number is - where the call does not exist
# It refuses what Docker's profile refuses for its default capabilities; tools/seccomp-table.c makes the filter of it.

last 466

# other namespaces, other mounts
refuse mount 165 40 EPERM
refuse umount2 166 39 EPERM
refuse pivot_root 155 41 EPERM
refuse open_tree 428 428 EPERM
refuse move_mount 429 429 EPERM
refuse fsopen 430 430 EPERM
refuse fsconfig 431 431 EPERM
refuse fsmount 432 432 EPERM
refuse fspick 433 433 EPERM
refuse mount_setattr 442 442 EPERM
refuse unshare 272 97 EPERM
refuse setns 308 268 EPERM
refuse clone 56 220 EPERM if arg0 has 0x7e020000
# its flags lie in memory where a filter can not look: programs then use clone
refuse clone3 435 435 ENOSYS
refuse sethostname 170 161 EPERM
refuse setdomainname 171 162 EPERM
refuse open_by_handle_at 304 265 EPERM

# the kernel itself
refuse init_module 175 105 EPERM
refuse finit_module 313 273 EPERM
refuse delete_module 176 106 EPERM
refuse create_module 174 - EPERM
refuse query_module 178 - EPERM
refuse get_kernel_syms 177 - EPERM
refuse kexec_load 246 104 EPERM
refuse kexec_file_load 320 294 EPERM
refuse reboot 169 142 EPERM
refuse swapon 167 224 EPERM
refuse swapoff 168 225 EPERM
refuse syslog 103 116 EPERM
refuse bpf 321 280 EPERM
refuse perf_event_open 298 241 EPERM
refuse lookup_dcookie 212 18 EPERM
refuse iopl 172 - EPERM
refuse ioperm 173 - EPERM
refuse _sysctl 156 - EPERM
refuse sysfs 139 - EPERM
refuse uselib 134 - EPERM
refuse ustat 136 - EPERM
refuse vserver 236 - EPERM
refuse nfsservctl 180 42 EPERM
refuse getpmsg 181 - EPERM
refuse putpmsg 182 - EPERM
refuse afs_syscall 183 - EPERM
refuse tuxcall 184 - EPERM
refuse security 185 - EPERM

# a large attack surface that ordinary programs do without
refuse io_uring_setup 425 425 EPERM
refuse io_uring_enter 426 426 EPERM
refuse io_uring_register 427 427 EPERM
refuse userfaultfd 323 282 EPERM
refuse personality 135 92 EPERM unless arg0 in 0x0 0x8 0x20000 0x20008 0xffffffff
# families that nobody needs in a container and that had holes: DECnet, ASH, Econet, RDS, SNA, PHONET and so on, above
# all AF_ALG (38, the kernel's own crypto) and AF_VSOCK (40, the hypervisor)
refuse socket 41 198 EPERM if arg0 in 12 19 20 23 25 34 37 38 40
# TIOCSTI and TIOCLINUX: typing into somebody else's terminal
refuse ioctl 16 29 EPERM if arg1 in 0x5412 0x541c

# what is not per container: keys, clocks, accounting, quotas, memory policy, other processes' descriptors
refuse add_key 248 217 EPERM
refuse request_key 249 218 EPERM
refuse keyctl 250 219 EPERM
refuse acct 163 89 EPERM
refuse quotactl 179 60 EPERM
refuse quotactl_fd 443 443 EPERM
refuse settimeofday 164 170 EPERM
refuse clock_settime 227 112 EPERM
refuse vhangup 153 58 EPERM
refuse fanotify_init 300 262 EPERM
refuse get_mempolicy 239 236 EPERM
refuse set_mempolicy 238 237 EPERM
refuse set_mempolicy_home_node 450 450 EPERM
refuse mbind 237 235 EPERM
refuse migrate_pages 256 238 EPERM
refuse move_pages 279 239 EPERM
refuse lsm_get_self_attr 459 459 EPERM
refuse lsm_set_self_attr 460 460 EPERM
refuse lsm_list_modules 461 461 EPERM
refuse kcmp 312 272 EPERM
refuse pidfd_getfd 438 438 EPERM
refuse process_madvise 440 440 EPERM
