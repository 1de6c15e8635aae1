import { readFileSync } from "node:fs";
import { release } from "node:os";
import { SampanError } from "../../errors/index.ts";
import { type CapabilityName, resolveCapabilities } from "../../kernel/capabilities.ts";
import { parseLandlockPolicy } from "../../kernel/landlock/parse.ts";
import type { LandlockPolicy } from "../../kernel/landlock/policy.ts";
import {
  defaultSeccompProfile,
  kernelVersionOf,
  limitedSeccompProfile,
  parseSeccompProfile,
  type SeccompProfile,
  seccompFilter,
} from "../../kernel/seccomp/index.ts";
import { hostArch } from "../../kernel/syscalls/index.ts";
import type { HostConfig } from "../config.ts";

/** What `--security-opt` says. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompProfile | "unconfined" | "default";
  /** Layers, each of which has to allow. */
  readonly landlock: readonly LandlockPolicy[];
  readonly unmasked: boolean;
}

/** Reads the options as dockerd does, "name=value" or the old "name:value"; what needs a security module is refused. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let parsed: SecurityOptions = { noNewPrivileges: false, seccomp: "default", landlock: [], unmasked: false };
  for (const option of options) {
    const { landlock = [], ...said } = parseOption(option);
    parsed = { ...parsed, ...said, landlock: [...parsed.landlock, ...landlock] };
  }
  return parsed;
}

function parseOption(option: string): Partial<SecurityOptions> {
  if (option === "no-new-privileges") return { noNewPrivileges: true };
  const [, name = "", value = ""] = /^([^=:]*)[=:](.*)$/s.exec(option) ?? [];
  switch (name) {
    case "no-new-privileges":
      if (value !== "true" && value !== "false") throw invalid(option);
      return { noNewPrivileges: value === "true" };
    case "seccomp":
      return { seccomp: seccompOf(value) };
    case "landlock":
      return { landlock: [parseLandlockPolicy(value)] };
    case "systempaths":
      if (value !== "unconfined") throw invalid(option);
      return { unmasked: true };
    case "apparmor":
      if (value === "unconfined" || value === "") return {};
      throw unsupported(option, "AppArmor profiles", "apparmor=unconfined");
    case "label":
      if (value === "disable") return {};
      throw unsupported(option, "SELinux labels", "label=disable");
    default:
      throw invalid(option);
  }
}

function seccompOf(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  if (value === "builtin" || value === "") return "default";
  return parseSeccompProfile(value) ?? "unconfined";
}

function invalid(option: string): SampanError {
  return new SampanError("invalid", `invalid --security-opt 2: ${JSON.stringify(option)}`);
}

function unsupported(option: string, what: string, instead: string): SampanError {
  return new SampanError(
    "unsupported",
    `Cannot honour --security-opt ${option}: Sampan sets no ${what}; use ${instead}`,
  );
}

/** The bounding set of this very process: nobody can hand on more than that. */
function readAvailable(): bigint {
  const [, hex = "0"] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return BigInt(`0x${hex}`);
}

let available: bigint | undefined;

/** The bounding set of a container. Throws `invalid` for capabilities that do not exist or that we do not have. */
export function grantedCapabilities(host: Pick<HostConfig, "CapAdd" | "CapDrop" | "Privileged">): CapabilityName[] {
  available ??= readAvailable();
  return resolveCapabilities({
    add: host.CapAdd ?? [],
    drop: host.CapDrop ?? [],
    privileged: host.Privileged,
    available,
  });
}

/** Compiled default and parsed custom profiles; a profile's text is the key, so that containers share filters. */
const profiles = new Map<string, SecurityOptions>();

/** As `parseSecurityOptions`, remembering what was asked last: every start and exec of a container asks again. */
export function securityOptions(options: readonly string[]): SecurityOptions {
  const key = options.join("\0");
  const known = profiles.get(key);
  if (known !== undefined) return known;
  const parsed = parseSecurityOptions(options);
  if (profiles.size >= 16) profiles.clear();
  profiles.set(key, parsed);
  return parsed;
}

const kernel = kernelVersionOf(release());

/**
 * The system call filter of a process with this bounding set; undefined: unconfined. `limited`: its container's writable layer
 * has a limit.
 */
export function filterOf(
  options: SecurityOptions,
  { privileged, limited }: { readonly privileged: boolean; readonly limited: boolean },
  capabilities: readonly CapabilityName[],
): { readonly filter: Uint8Array; readonly flags: number } | undefined {
  if (options.seccomp === "unconfined") return undefined;
  if (options.seccomp === "default" && privileged) return undefined;
  const usual = limited ? limitedSeccompProfile : defaultSeccompProfile;
  const profile = options.seccomp === "default" ? usual : options.seccomp;
  const filter = seccompFilter(profile, { arch: hostArch(), kernel, capabilities });
  return { filter: filter.program, flags: filter.flags };
}
