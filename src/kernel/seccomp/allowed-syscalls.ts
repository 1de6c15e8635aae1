/**
 * What every container may call, by purpose. Names of all our architectures, the 32-bit ones included. Left out on
 * purpose: keyrings (not divided by namespaces), io_uring (goes round the filter), kexec, swap, userfaultfd, NUMA
 * policy, and all that a capability guards (see default-profile.ts).
 */
// biome-ignore format: a table is read faster many to a line
export const allowedSyscalls = {
  processes: [
    "execve", "execveat", "exit", "exit_group", "fork", "vfork", "wait4", "waitid", "waitpid", "gettid", "getpid",
    "getppid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid", "kill", "tkill", "tgkill", "pidfd_open",
    "pidfd_send_signal", "process_mrelease", "prctl", "umask", "uname", "getcpu", "times", "getrusage", "sysinfo",
    "set_tid_address", "get_thread_area", "set_thread_area", "set_robust_list", "get_robust_list", "rseq", "restart_syscall",
    "uretprobe", "riscv_hwprobe",
  ],
  identity: [
    "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid",
    "getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "setuid", "setuid32", "setgid", "setgid32",
    "setreuid", "setreuid32", "setregid", "setregid32", "setresuid", "setresuid32", "setresgid", "setresgid32",
    "setfsuid", "setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32", "capget", "capset",
  ],
  limitsAndScheduling: [
    "getrlimit", "ugetrlimit", "setrlimit", "prlimit64", "getpriority", "setpriority", "ioprio_get", "ioprio_set",
    "sched_getaffinity", "sched_setaffinity", "sched_getattr", "sched_setattr", "sched_getparam", "sched_setparam",
    "sched_getscheduler", "sched_setscheduler", "sched_get_priority_max", "sched_get_priority_min",
    "sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_yield", "membarrier",
  ],
  sandboxing: ["seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
  signals: [
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sigaltstack", "sigprocmask", "sigreturn",
    "signalfd", "signalfd4", "alarm", "pause",
  ],
  memory: [
    "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "mincore", "msync", "mlock", "mlock2",
    "mlockall", "munlock", "munlockall", "mseal", "memfd_create", "memfd_secret", "map_shadow_stack", "pkey_alloc",
    "pkey_free", "pkey_mprotect", "remap_file_pages",
  ],
  opening: [
    "open", "openat", "openat2", "creat", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "ioctl",
    "flock", "pipe", "pipe2", "name_to_handle_at",
  ],
  readingAndWriting: [
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek",
    "_llseek", "readahead", "fadvise64", "fadvise64_64", "fallocate", "truncate", "truncate64", "ftruncate",
    "ftruncate64", "copy_file_range", "sendfile", "sendfile64", "splice", "tee", "vmsplice", "sync", "syncfs", "fsync",
    "fdatasync", "sync_file_range", "cachestat",
  ],
  directories: [
    "chdir", "fchdir", "getcwd", "getdents", "getdents64", "mkdir", "mkdirat", "rmdir", "link", "linkat", "unlink",
    "unlinkat", "symlink", "symlinkat", "readlink", "readlinkat", "rename", "renameat", "renameat2", "mknod", "mknodat",
  ],
  attributes: [
    "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "fstatat64", "newfstatat", "statx", "statfs", "statfs64",
    "fstatfs", "fstatfs64", "statmount", "listmount", "access", "faccessat", "faccessat2", "chmod", "fchmod", "fchmodat",
    "fchmodat2", "chown", "chown32", "fchown", "fchown32", "lchown", "lchown32", "fchownat", "utime", "utimes",
    "futimesat", "utimensat", "utimensat_time64",
  ],
  extendedAttributes: [
    "getxattr", "lgetxattr", "fgetxattr", "getxattrat", "setxattr", "lsetxattr", "fsetxattr", "setxattrat", "listxattr",
    "llistxattr", "flistxattr", "listxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat",
  ],
  waiting: [
    "select", "_newselect", "pselect6", "pselect6_time64", "poll", "ppoll", "ppoll_time64", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_wait_old", "epoll_pwait", "epoll_pwait2",
    "eventfd", "eventfd2", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "fanotify_mark",
    "io_setup", "io_destroy", "io_submit", "io_cancel", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
    "futex", "futex_time64", "futex_wait", "futex_wake", "futex_requeue", "futex_waitv",
  ],
  time: [
    "time", "gettimeofday", "nanosleep", "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
    "clock_nanosleep", "clock_nanosleep_time64", "clock_adjtime", "clock_adjtime64", "adjtimex", "getitimer",
    "setitimer", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
    "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
    "timerfd_settime64",
  ],
  network: [
    "socketpair", "socketcall", "bind", "listen", "accept", "accept4", "connect", "shutdown", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg",
    "recvmmsg", "recvmmsg_time64",
  ],
  interprocess: [
    "ipc", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop", "semtimedop_time64", "semctl",
    "shmget", "shmat", "shmdt", "shmctl", "mq_open", "mq_unlink", "mq_notify", "mq_getsetattr", "mq_timedsend",
    "mq_timedsend_time64", "mq_timedreceive", "mq_timedreceive_time64",
  ],
  random: ["getrandom"],
} as const;
