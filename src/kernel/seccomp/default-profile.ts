import type { CapabilityName } from "../capabilities.ts";
import { errnoNumber } from "../errno.ts";
import {
  AF_ALG,
  AF_VSOCK,
  CLONE_NEWCGROUP,
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  CLONE_NEWUTS,
} from "../flags.ts";
import { allowedSyscalls } from "./allowed-syscalls.ts";
import type { ArgumentTest, Operator, SeccompProfile, SyscallRule } from "./profile.ts";

const unconditional = { caps: [], arches: [], minKernel: undefined };

function allow(names: readonly string[], more: Partial<SyscallRule> = {}): SyscallRule {
  return {
    names,
    action: "SCMP_ACT_ALLOW",
    errno: undefined,
    args: [],
    includes: unconditional,
    excludes: unconditional,
    ...more,
  };
}

/** What a capability opens: nobody who lacks it has use for these calls. */
const byCapability: Partial<Record<CapabilityName, readonly string[]>> = {
  CAP_BPF: ["bpf"],
  CAP_DAC_READ_SEARCH: ["open_by_handle_at"],
  CAP_PERFMON: ["perf_event_open"],
  CAP_SYSLOG: ["syslog"],
  CAP_SYS_ADMIN: [
    ...["bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "lookup_dcookie"],
    ...["lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr", "mount", "mount_setattr", "move_mount"],
    ...["open_tree", "perf_event_open", "quotactl", "quotactl_fd", "setdomainname", "sethostname", "setns", "syslog"],
    ...["umount", "umount2", "unshare"],
  ],
  CAP_SYS_BOOT: ["reboot"],
  CAP_SYS_CHROOT: ["chroot"],
  CAP_SYS_MODULE: ["delete_module", "init_module", "finit_module"],
  CAP_SYS_NICE: ["get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"],
  CAP_SYS_PACCT: ["acct"],
  CAP_SYS_PTRACE: ["kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace"],
  CAP_SYS_RAWIO: ["iopl", "ioperm"],
  CAP_SYS_TIME: ["settimeofday", "stime", "clock_settime", "clock_settime64"],
  CAP_SYS_TTY_CONFIG: ["vhangup"],
};

const byArchitecture: Readonly<Record<string, readonly string[]>> = {
  amd64: ["arch_prctl", "modify_ldt"],
  arm64: ["arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush", "set_tls"],
};

/** Before 4.8 a tracer could change a call after the filter had seen it. */
const tracing = allow(["process_vm_readv", "process_vm_writev", "ptrace"], {
  includes: { ...unconditional, minKernel: { major: 4, minor: 8 } },
});

/**
 * Every address family but two. VSOCK is not divided by network namespaces; ALG has been a road into the kernel's crypto
 * code. The kernel cuts the family to 32 bits, so the test does.
 */
const sockets = [family("SCMP_CMP_LT", AF_ALG), family("SCMP_CMP_EQ", AF_ALG + 1), family("SCMP_CMP_GT", AF_VSOCK)].map(
  (test) => allow(["socket"], { args: [test] }),
);

function family(op: Operator, value: number): ArgumentTest {
  return { index: 0, op, value: BigInt(value), valueTwo: 0n, narrow: true };
}

/** PER_LINUX and PER_LINUX32, each with and without UNAME26, and the question for the current one. */
const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff].map((value) =>
  allow(["personality"], { args: [{ index: 0, op: "SCMP_CMP_EQ", value: BigInt(value), valueTwo: 0n }] }),
);

const newNamespaces =
  CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
const withoutSysAdmin = { excludes: { ...unconditional, caps: ["CAP_SYS_ADMIN"] } };

/** clone without new namespaces. clone3's flags are in memory, out of a filter's sight: ENOSYS sends libc to clone. */
const processes = [
  allow(["clone"], {
    ...withoutSysAdmin,
    args: [{ index: 0, op: "SCMP_CMP_MASKED_EQ", value: BigInt(newNamespaces), valueTwo: 0n }],
  }),
  allow(["clone3"], { ...withoutSysAdmin, action: "SCMP_ACT_ERRNO", errno: errnoNumber("ENOSYS") }),
];

/** The filter of a container that asks for none: an allow-list as strict as Docker's (moby/profiles of June 2026). */
export const defaultSeccompProfile: SeccompProfile = {
  defaultAction: "SCMP_ACT_ERRNO",
  defaultErrno: errnoNumber("EPERM"),
  architectures: [],
  archMap: [
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
  ],
  flags: undefined,
  syscalls: [
    allow(Object.values(allowedSyscalls).flat()),
    tracing,
    ...sockets,
    ...personalities,
    ...processes,
    ...Object.entries(byArchitecture).map(([arch, names]) =>
      allow(names, { includes: { ...unconditional, arches: [arch] } }),
    ),
    ...Object.entries(byCapability).map(([cap, names]) =>
      allow(names, { includes: { ...unconditional, caps: [cap] } }),
    ),
  ],
};
