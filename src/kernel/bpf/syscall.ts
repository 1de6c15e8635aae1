/**
 * Arguments of bpf(2) for cgroup programs: union bpf_attr of each command as bytes, and where in it the caller must
 * write addresses. include/uapi/linux/bpf.h; cgroup device programs since 4.15.
 */

export const BPF_PROG_LOAD = 5;
export const BPF_PROG_ATTACH = 8;
export const BPF_PROG_QUERY = 16;
export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_CGROUP_DEVICE = 6;
export const BPF_F_ALLOW_MULTI = 2;

/** A bpf_attr whose 64-bit fields in `pointers` (byte offset → what it points to) are still 0. */
export interface BpfAttribute<Pointer extends string> {
  readonly bytes: Uint8Array;
  readonly pointers: Readonly<Record<Pointer, number>>;
}

/** Programs that call no GPL-only helper may have any license; this is ours. */
export const bpfLicense = "Apache-2.0";

/**
 * BPF_PROG_LOAD: `instructions` points to the program, `license` to a NUL-terminated text; `log` to a buffer of
 * `logSize` bytes for the verifier's words, or stays 0 with `logSize` 0. `name` is cut to 15 bytes of [A-Za-z0-9_].
 */
export function progLoad(load: {
  readonly instructions: number;
  readonly name: string;
  readonly logSize: number;
}): BpfAttribute<"instructions" | "license" | "log"> {
  const bytes = Buffer.alloc(72);
  bytes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  bytes.writeUInt32LE(load.instructions, 4);
  bytes.writeUInt32LE(load.logSize > 0 ? 1 : 0, 24);
  bytes.writeUInt32LE(load.logSize, 28);
  bytes.write(load.name.replace(/\W/g, "_").slice(0, 15), 48, "latin1");
  bytes.writeUInt32LE(BPF_CGROUP_DEVICE, 68); // expected_attach_type
  return { bytes, pointers: { instructions: 8, license: 16, log: 32 } };
}

/** Byte offsets of the descriptors in `progAttach`'s bytes, for callers whose descriptors are results of earlier steps. */
export const attachFields = { cgroup: 0, program: 4, type: 8, flags: 12 } as const;

/** BPF_PROG_ATTACH: 20 bytes with the type and the flags set. The descriptors are the caller's to write. */
export function progAttach(flags: number): Uint8Array {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(BPF_CGROUP_DEVICE, attachFields.type);
  bytes.writeUInt32LE(flags, attachFields.flags);
  return bytes;
}

/** Byte offsets of BPF_PROG_QUERY's fields; the kernel writes the number of programs back to `count`. */
export const queryFields = { cgroup: 0, type: 4, queryFlags: 8, attachFlags: 12, ids: 16, count: 24 } as const;

/** BPF_PROG_QUERY of the device programs of one cgroup (not its ancestors): `ids` points to room for `count` u32. */
export function progQuery(count: number): BpfAttribute<"ids"> {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(BPF_CGROUP_DEVICE, queryFields.type);
  bytes.writeUInt32LE(count, queryFields.count);
  return { bytes, pointers: { ids: queryFields.ids } };
}
