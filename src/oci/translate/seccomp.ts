import { release } from "node:os";
import { SampanError } from "../../errors/index.ts";
import type { CapabilityName } from "../../kernel/capabilities.ts";
import { foreignArchNames, seccompArchs } from "../../kernel/seccomp/architectures.ts";
import { kernelVersionOf, seccompFilter } from "../../kernel/seccomp/filter.ts";
import type { SeccompProfile } from "../../kernel/seccomp/profile.ts";
import { hostArch } from "../../kernel/syscalls/index.ts";
import type { ProcessSpec } from "../../runtime/types.ts";
import type { OciSeccomp } from "../config/seccomp.ts";

const always = { caps: [], arches: [], minKernel: undefined };

/** `linux.seccomp` as a filter of this machine. Conditions of Docker's profiles were decided by whoever wrote config.json. */
export function seccompOf(
  seccomp: OciSeccomp | undefined,
  bounding: readonly CapabilityName[],
): Pick<ProcessSpec, "seccomp"> {
  if (seccomp === undefined) return {};
  for (const [index, name] of seccomp.architectures.entries()) {
    if (Object.hasOwn(seccompArchs, name) || foreignArchNames.has(name)) continue;
    throw new SampanError("invalid", `linux.seccomp.architectures[${index}]: ${name} is no architecture`);
  }
  const profile: SeccompProfile = {
    defaultAction: seccomp.defaultAction,
    defaultErrno: seccomp.defaultErrnoRet,
    architectures: seccomp.architectures,
    archMap: [],
    flags: seccomp.flags,
    syscalls: seccomp.syscalls.map(({ errnoRet, ...rule }) => ({
      ...rule,
      errno: errnoRet,
      includes: always,
      excludes: always,
    })),
  };
  const context = { arch: hostArch(), kernel: kernelVersionOf(release()), capabilities: bounding };
  const { program, flags } = seccompFilter(profile, context);
  return { seccomp: { filter: program, flags } };
}
