import { aarch64 } from "../syscalls/aarch64.ts";
import { arm } from "../syscalls/arm.ts";
import { i386 } from "../syscalls/i386.ts";
import type { Arch } from "../syscalls/index.ts";
import { unified } from "../syscalls/unified.ts";
import { x32 } from "../syscalls/x32.ts";
import { x86_64 } from "../syscalls/x86_64.ts";

/** One way of entering the kernel that a filter tells apart. */
export interface SeccompArch {
  /** AUDIT_ARCH_* (include/uapi/linux/audit.h), what struct seccomp_data says. */
  readonly audit: number;
  /** Name → number; x32's numbers carry the x32 bit. */
  readonly syscalls: Readonly<Record<string, number>>;
  /** Arguments are 32 bits wide: only their low half is compared. */
  readonly narrow: boolean;
}

const auditX86 = 0x40000003;
export const auditX86_64 = 0xc000003e;
const auditArm = 0x40000028;
const auditAarch64 = 0xc00000b7;

/** The architectures a process can use on our machines. x32 shares x86-64's audit number. */
export const seccompArchs = {
  SCMP_ARCH_X86_64: { audit: auditX86_64, syscalls: { ...x86_64, ...unified }, narrow: false },
  SCMP_ARCH_X86: { audit: auditX86, syscalls: { ...i386, ...unified }, narrow: true },
  SCMP_ARCH_X32: { audit: auditX86_64, syscalls: x32, narrow: true },
  SCMP_ARCH_AARCH64: { audit: auditAarch64, syscalls: { ...aarch64, ...unified }, narrow: false },
  SCMP_ARCH_ARM: { audit: auditArm, syscalls: { ...arm, ...unified }, narrow: true },
} as const satisfies Record<string, SeccompArch>;

export type SeccompArchName = keyof typeof seccompArchs;

/** Architectures that profiles name for other machines: known, and nothing to do here. */
export const foreignArchNames: ReadonlySet<string> = new Set(
  [
    ...[
      "LOONGARCH64",
      "M68K",
      "MIPS",
      "MIPS64",
      "MIPS64N32",
      "MIPSEL",
      "MIPSEL64",
      "MIPSEL64N32",
      "PARISC",
      "PARISC64",
    ],
    ...["PPC", "PPC64", "PPC64LE", "RISCV64", "S390", "S390X", "SH", "SHEB"],
  ].map((name) => `SCMP_ARCH_${name}`),
);

/** The names of our architectures in profiles: libseccomp's, and the one that `includes.arches` uses. */
export const archNames: Readonly<
  Record<Arch, { native: SeccompArchName; condition: string; also: readonly SeccompArchName[] }>
> = {
  x86_64: { native: "SCMP_ARCH_X86_64", condition: "amd64", also: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"] },
  aarch64: { native: "SCMP_ARCH_AARCH64", condition: "arm64", also: ["SCMP_ARCH_ARM"] },
};
