import { SampanError } from "../../errors/index.ts";
import { type CapabilityName, type CapabilitySets, capabilities } from "../../kernel/capabilities.ts";
import { isRlimitName, RLIM_INFINITY } from "../../kernel/rlimits.ts";
import type { BundleProcess } from "../../runtime/bundle/types.ts";
import type { Rlimit } from "../../runtime/types.ts";
import type { OciLinux } from "../config/linux.ts";
import type { OciProcess } from "../config/process.ts";
import { attributesOf } from "./attributes.ts";
import { labelsOf } from "./labels.ts";
import { seccompOf } from "./seccomp.ts";

/** `process` of config.json, or of `exec --process`, with what `linux` says of all processes. */
export function processOf(process: OciProcess, linux: OciLinux | undefined): BundleProcess {
  if (process.args.length === 0) throw new SampanError("invalid", "process.args must not be empty");
  if (!process.cwd.startsWith("/")) throw new SampanError("invalid", "process.cwd must be an absolute path");
  const { user, consoleSize } = process;
  const sets = capabilitiesOf(process);
  return {
    argv: process.args,
    env: process.env,
    cwd: process.cwd,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids, home: "/" },
    terminal: process.terminal,
    ...(consoleSize && { consoleSize: [consoleSize.height, consoleSize.width] as const }),
    openStdin: true,
    stdinOnce: true,
    capabilities: sets,
    ...seccompOf(linux?.seccomp, sets.bounding),
    noNewPrivileges: process.noNewPrivileges,
    rlimits: rlimitsOf(process),
    umask: user.umask ?? 0o022,
    attributes: attributesOf(process, linux),
    labels: labelsOf(process),
    ...(process.oomScoreAdj !== undefined && { oomScoreAdj: process.oomScoreAdj }),
  };
}

/** Without `capabilities` a process has none. A name that this kernel's headers do not know cannot be held, as in runc. */
function capabilitiesOf({ capabilities: sets }: OciProcess): CapabilitySets {
  const read = (names: readonly string[] | undefined) => (names ?? []).map(nameOf).filter((name) => name !== undefined);
  const [permitted, inheritable] = [read(sets?.permitted), read(sets?.inheritable)];
  return {
    bounding: read(sets?.bounding),
    effective: read(sets?.effective),
    permitted,
    inheritable,
    // The kernel takes no others (capabilities(7)); `runc spec` of some versions lists them all the same
    ambient: read(sets?.ambient).filter((name) => permitted.includes(name) && inheritable.includes(name)),
  };
}

/** Capabilities that are asked for and unknown here: nobody can hold them. */
export function unknownCapabilities({ capabilities: sets }: OciProcess): string[] {
  const asked = Object.values(sets ?? {}).flatMap((names) => names ?? []);
  return [...new Set(asked.filter((name) => nameOf(name) === undefined))];
}

function nameOf(name: string): CapabilityName | undefined {
  return Object.hasOwn(capabilities, name) ? (name as CapabilityName) : undefined;
}

function rlimitsOf({ rlimits }: OciProcess): Rlimit[] {
  const seen = new Set<string>();
  return rlimits.map(({ type, soft, hard }, index) => {
    const name = type.replace(/^RLIMIT_/, "").toLowerCase();
    const field = `process.rlimits[${index}].type`;
    if (!isRlimitName(name)) throw new SampanError("invalid", `${field}: ${type} is no limit`);
    if (seen.has(name)) throw new SampanError("invalid", `${field}: ${type} is there twice`);
    seen.add(name);
    return { name, soft: limitOf(soft), hard: limitOf(hard) };
  });
}

function limitOf(value: bigint): number {
  return value < 0n || value >= RLIM_INFINITY ? -1 : Number(value);
}
