import type { ActionName } from "./actions.ts";

/** A seccomp profile in Docker's format, every field filled in. */
export interface SeccompProfile {
  readonly defaultAction: ActionName;
  readonly defaultErrno: number | undefined;
  readonly architectures: readonly string[];
  readonly archMap: readonly ArchMapEntry[];
  /** Undefined is the default, SPEC_ALLOW; an empty list is none. */
  readonly flags: readonly FilterFlagName[] | undefined;
  readonly syscalls: readonly SyscallRule[];
}

export interface ArchMapEntry {
  readonly architecture: string;
  readonly subArchitectures: readonly string[];
}

export interface SyscallRule {
  readonly names: readonly string[];
  readonly action: ActionName;
  readonly errno: number | undefined;
  /** All must hold. Only when two are about the same argument is any one enough, as runc has it for old profiles. */
  readonly args: readonly ArgumentTest[];
  readonly includes: RuleCondition;
  readonly excludes: RuleCondition;
}

export const operators = [
  "SCMP_CMP_EQ",
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_GT",
  "SCMP_CMP_GE",
  "SCMP_CMP_MASKED_EQ",
] as const;

export type Operator = (typeof operators)[number];

export const filterFlagNames = [
  "SECCOMP_FILTER_FLAG_TSYNC",
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
] as const;

export type FilterFlagName = (typeof filterFlagNames)[number];

export interface ArgumentTest {
  readonly index: number;
  readonly op: Operator;
  /** What the argument is compared with; for MASKED_EQ the mask. */
  readonly value: bigint;
  /** For MASKED_EQ what the masked argument is compared with. */
  readonly valueTwo: bigint;
  /** Set for arguments the kernel cuts to 32 bits: without it a caller evades the test with rubbish in the high half. */
  readonly narrow?: boolean;
}

/** When a rule is there at all. Empty lists and no version mean always. */
export interface RuleCondition {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  readonly minKernel: KernelVersion | undefined;
}

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}
