import { unified } from "./unified.ts";
import { x86_64 } from "./x86_64.ts";

/** Set in the number of every x32 system call (arch/x86/include/uapi/asm/unistd.h). */
export const x32Bit = 0x40000000;

/** Where x32 has an entry point of its own because structures with pointers differ. */
// biome-ignore format: a table is read faster many to a line
const own = {
  rt_sigaction: 512, rt_sigreturn: 513, ioctl: 514, readv: 515, writev: 516, recvfrom: 517, sendmsg: 518, recvmsg: 519,
  execve: 520, ptrace: 521, rt_sigpending: 522, rt_sigtimedwait: 523, rt_sigqueueinfo: 524, sigaltstack: 525,
  timer_create: 526, mq_notify: 527, kexec_load: 528, waitid: 529, set_robust_list: 530, get_robust_list: 531,
  vmsplice: 532, move_pages: 533, preadv: 534, pwritev: 535, rt_tgsigqueueinfo: 536, recvmmsg: 537, sendmmsg: 538,
  process_vm_readv: 539, process_vm_writev: 540, setsockopt: 541, getsockopt: 542, io_setup: 543, io_submit: 544,
  execveat: 545, preadv2: 546, pwritev2: 547,
};

/** x86-64 calls that x32 does not have. */
const absent = new Set([
  ...["_sysctl", "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms", "get_thread_area"],
  ...["map_shadow_stack", "nfsservctl", "query_module", "set_thread_area", "uprobe", "uretprobe", "uselib", "vserver"],
]);

/** System calls of the x32 ABI, including the x32 bit: for seccomp filters of x86-64 only. */
export const x32: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries({ ...x86_64, ...unified, ...own })
    .filter(([name]) => !absent.has(name))
    .map(([name, number]) => [name, x32Bit | number]),
);
