import type { Errno } from "./errno.ts";
import type { Step } from "./program.ts";

/** The kernel's riddles: what an errno of a known call really means, and what to do. */
const riddles: { call: string; errno: Errno; help: string; note?: RegExp }[] = [
  { call: "clone", errno: "EPERM", help: "making namespaces needs root (CAP_SYS_ADMIN)" },
  {
    call: "clone",
    errno: "EINVAL",
    help: "the kernel lacks one of the wanted namespaces: see CONFIG_NAMESPACES, CONFIG_PID_NS, CONFIG_NET_NS",
  },
  { call: "clone", errno: "ENOSPC", help: "a limit in /proc/sys/user/max_*_namespaces is reached" },
  {
    call: "clone",
    errno: "EAGAIN",
    help: "the limit of processes is reached: see ulimit -u and pids.max of the daemon's cgroup",
  },
  {
    call: "clone",
    errno: "EBUSY",
    help: "the container's v2 cgroup has controllers enabled for its children, so no process may enter it",
  },
  {
    call: "fsopen",
    errno: "ENODEV",
    help: "the kernel lacks this file system: load its module (overlay: modprobe overlay)",
  },
  { call: "fsconfig", errno: "ELOOP", help: "a layer or the upper directory lies inside another one" },
  { call: "fsconfig", errno: "EBUSY", help: "the upper or work directory is in use by another overlay mount" },
  {
    call: "fsconfig",
    errno: "EINVAL",
    help: "overlay refused its layers: upper and work must be on one file system that supports xattrs and is no overlay itself",
  },
  { call: "fsmount", errno: "EPERM", help: "mounting needs root (CAP_SYS_ADMIN)" },
  {
    call: "mount_setattr",
    errno: "EINVAL",
    note: /^map the ids of /,
    help: "the file system, or one mounted below it, cannot map ids (overlay, NFS, /proc and /sys cannot; ext4, xfs, btrfs and, since Linux 6.3, tmpfs can): leave what is mounted below out (bind-recursive=disabled), or use --userns=host",
  },
  { call: "seccomp", errno: "EINVAL", help: "the kernel lacks CONFIG_SECCOMP_FILTER or a filter flag" },
  { call: "landlock_restrict_self", errno: "E2BIG", help: "there are 16 layers of Landlock at most" },
  ...(["setresuid", "setresgid", "setgroups"] as const).map((call) => ({
    call,
    errno: "EINVAL" as const,
    help: "the user namespace has no such id: have more in it with --userns=auto:size=NUMBER, or use --userns=host",
  })),
  { call: "prlimit64", errno: "EPERM", help: "raising a hard limit needs CAP_SYS_RESOURCE" },
  { call: "pidfd_getfd", errno: "EPERM", help: "taking the container's terminal needs CAP_SYS_PTRACE" },
  {
    call: "unshare",
    errno: "EINVAL",
    help: "the kernel lacks the wanted namespace: time needs Linux 5.6, CONFIG_TIME_NS",
  },
  { call: "quotactl_fd", errno: "ENOSYS", help: "limiting a directory needs Linux 5.14" },
  { call: "quotactl_fd", errno: "EPERM", help: "setting quotas needs root (CAP_SYS_ADMIN)" },
  { call: "write", errno: "ENOSPC", help: "the disk is full" },
];

/** A sentence for the reader of an error, where we know better than the errno. */
export function remedy(step: Step, errno: Errno): string | undefined {
  const call = step.call ?? step.op;
  return riddles.find(
    (riddle) => riddle.call === call && riddle.errno === errno && (riddle.note?.test(step.note) ?? true),
  )?.help;
}
