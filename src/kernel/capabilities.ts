import { SampanError } from "../errors/index.ts";

/** Every capability and its bit: capabilities(7), include/uapi/linux/capability.h. The last one came with 5.9. */
export const capabilities = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_FOWNER: 3,
  CAP_FSETID: 4,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_LINUX_IMMUTABLE: 9,
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_BROADCAST: 11,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_IPC_OWNER: 15,
  CAP_SYS_MODULE: 16,
  CAP_SYS_RAWIO: 17,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_PACCT: 20,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_BOOT: 22,
  CAP_SYS_NICE: 23,
  CAP_SYS_RESOURCE: 24,
  CAP_SYS_TIME: 25,
  CAP_SYS_TTY_CONFIG: 26,
  CAP_MKNOD: 27,
  CAP_LEASE: 28,
  CAP_AUDIT_WRITE: 29,
  CAP_AUDIT_CONTROL: 30,
  CAP_SETFCAP: 31,
  CAP_MAC_OVERRIDE: 32,
  CAP_MAC_ADMIN: 33,
  CAP_SYSLOG: 34,
  CAP_WAKE_ALARM: 35,
  CAP_BLOCK_SUSPEND: 36,
  CAP_AUDIT_READ: 37,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
  CAP_CHECKPOINT_RESTORE: 40,
} as const;

export type CapabilityName = keyof typeof capabilities;

const names = Object.keys(capabilities) as CapabilityName[];

/** The capabilities of a container that asks for nothing: the same fourteen as Docker's. */
export const defaultCapabilities: readonly CapabilityName[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_RAW",
  "CAP_SYS_CHROOT",
  "CAP_MKNOD",
  "CAP_AUDIT_WRITE",
  "CAP_SETFCAP",
];

/**
 * A capability as `--cap-add` and `--cap-drop` take it: any case, with or without the CAP_ prefix, or ALL.
 * Throws `invalid` with dockerd's text.
 */
export function parseCapability(text: string): CapabilityName | "ALL" {
  const upper = text.toUpperCase();
  if (upper === "ALL") return "ALL";
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!isCapabilityName(name)) throw new SampanError("invalid", `unknown capability: "${name}"`);
  return name;
}

export function isCapabilityName(name: string): name is CapabilityName {
  return Object.hasOwn(capabilities, name);
}

/** What a container asks for: the values of `--cap-add`, `--cap-drop` and `--privileged`. */
export interface CapabilityRequest {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  /** The bounding set of our own process (CapBnd of /proc/self/status): nobody can hand on more than that. */
  readonly available: bigint;
}

/**
 * The capabilities a container gets, in the order of their bits, by dockerd's rules: privileged is everything available;
 * `add ALL` starts from everything available and wins over `drop ALL`; `drop ALL` starts from nothing; else the
 * defaults without `drop`, and `add` last. Defaults this machine cannot give are left out; asking for one by name throws `invalid`.
 */
export function resolveCapabilities(request: CapabilityRequest): CapabilityName[] {
  if (request.privileged) return capabilitiesIn(request.available);
  const add = request.add.map(parseCapability);
  const drop = request.drop.map(parseCapability);
  for (const name of add) {
    if (name !== "ALL" && (request.available & capabilityMask([name])) === 0n) {
      const reason = "capability not supported by your kernel or not available in the current environment";
      throw new SampanError("invalid", `${reason}: "${name}"`);
    }
  }
  const dropped = capabilityMask(drop.filter((name) => name !== "ALL"));
  if (add.includes("ALL")) return capabilitiesIn(request.available & ~dropped);
  const base = drop.includes("ALL") ? 0n : capabilityMask(defaultCapabilities) & ~dropped & request.available;
  return capabilitiesIn(base | capabilityMask(add.filter((name) => name !== "ALL")));
}

/** A set as the kernel's 64-bit mask. */
export function capabilityMask(set: Iterable<CapabilityName>): bigint {
  let mask = 0n;
  for (const name of set) mask |= 1n << BigInt(capabilities[name]);
  return mask;
}

/** The names in a mask, in the order of their bits; bits newer than this table are left out. */
export function capabilitiesIn(mask: bigint): CapabilityName[] {
  return names.filter((name) => (mask >> BigInt(capabilities[name])) & 1n);
}

/** The five sets of a process, as in the OCI runtime spec. */
export interface CapabilitySets {
  readonly bounding: readonly CapabilityName[];
  readonly effective: readonly CapabilityName[];
  readonly permitted: readonly CapabilityName[];
  readonly inheritable: readonly CapabilityName[];
  readonly ambient: readonly CapabilityName[];
}

/**
 * The sets of a container's process as dockerd makes them: a user other than root holds nothing beyond the bounding set,
 * as after execve; nothing is inheritable (CVE-2022-24769) or ambient.
 */
export function capabilitySets(granted: readonly CapabilityName[], uid: number): CapabilitySets {
  const held = uid === 0 ? granted : [];
  return { bounding: granted, effective: held, permitted: held, inheritable: [], ambient: [] };
}

/** _LINUX_CAPABILITY_VERSION_3: two 32-bit words for each set. */
const capabilityVersion3 = 0x20080522;

/** The two arguments of capset(2) for the calling thread (pid 0): struct __user_cap_header_struct and two __user_cap_data_struct. */
export function encodeCapset(sets: Pick<CapabilitySets, "effective" | "permitted" | "inheritable">): {
  header: Uint8Array;
  data: Uint8Array;
} {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(capabilityVersion3, 0);
  const data = Buffer.alloc(24);
  for (const [index, set] of [sets.effective, sets.permitted, sets.inheritable].entries()) {
    const mask = capabilityMask(set);
    data.writeUInt32LE(Number(mask & 0xffffffffn), index * 4);
    data.writeUInt32LE(Number(mask >> 32n), 12 + index * 4);
  }
  return { header, data };
}
