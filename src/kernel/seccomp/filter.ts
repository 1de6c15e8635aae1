import { encodeClassic } from "../bpf/classic.ts";
import type { CapabilityName } from "../capabilities.ts";
import { SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW } from "./actions.ts";
import { compileFilter } from "./compile.ts";
import type { KernelVersion, SeccompProfile } from "./profile.ts";
import { resolveProfile, type SeccompContext } from "./resolve.ts";

/** What seccomp(SECCOMP_SET_MODE_FILTER, flags, struct sock_fprog { instructions, pointer to program }) takes. */
export interface SeccompFilter {
  /** An array of struct sock_filter, eight bytes each. */
  readonly program: Uint8Array;
  readonly instructions: number;
  readonly flags: number;
}

const built = new WeakMap<SeccompProfile, Map<string, SeccompFilter>>();

/**
 * The filter of a profile for one container. The same profile object asked about the same machine and capabilities
 * costs nothing the second time. Throws `invalid` for a profile that does not fit into a filter.
 */
export function seccompFilter(profile: SeccompProfile, context: SeccompContext): SeccompFilter {
  const filters = built.get(profile) ?? new Map<string, SeccompFilter>();
  built.set(profile, filters);
  const { arch, kernel, capabilities } = context;
  const key = [arch, kernel.major, kernel.minor, ...sorted(capabilities)].join(" ");
  const known = filters.get(key);
  if (known !== undefined) return known;
  const program = compileFilter(resolveProfile(profile, context));
  const filter = { program: encodeClassic(program), instructions: program.length, flags: flagsOf(profile) };
  filters.set(key, filter);
  return filter;
}

/** The kernel's major and minor version out of `uname -r`: "6.1.0-18-amd64" → 6.1. */
export function kernelVersionOf(release: string): KernelVersion {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return { major: Number(major ?? 0), minor: Number(minor ?? 0) };
}

/** TSYNC has nothing to do: a container's process has one thread when it takes its filter. */
function flagsOf({ flags }: SeccompProfile): number {
  if (flags === undefined) return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const log = flags.includes("SECCOMP_FILTER_FLAG_LOG") ? SECCOMP_FILTER_FLAG_LOG : 0;
  return log | (flags.includes("SECCOMP_FILTER_FLAG_SPEC_ALLOW") ? SECCOMP_FILTER_FLAG_SPEC_ALLOW : 0);
}

function sorted(capabilities: readonly CapabilityName[]): CapabilityName[] {
  return [...capabilities].sort();
}
