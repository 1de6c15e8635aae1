import { SampanError } from "../../errors/index.ts";
import * as f from "../../kernel/flags.ts";
import type { MountAttributes } from "../../runtime/bundle/types.ts";
import type { Propagation } from "../../runtime/types.ts";

/** The options of one mount, sorted by who acts on them. */
export interface MountOptions {
  readonly attributes: MountAttributes;
  readonly propagation: readonly Propagation[];
  /** `bind` or `rbind`. */
  readonly bind: "no" | "flat" | "recursive";
  readonly remount: boolean;
  /** `idmap` or `ridmap`. */
  readonly idmap: "no" | "flat" | "recursive";
  /** `tmpcopyup`. */
  readonly copyUp: boolean;
  /** What the file system itself is told: "size=64k" is a pair, "newinstance" a flag. */
  readonly data: readonly (readonly [name: string, value: string | true])[];
  /** Options of the superblock, which a bind mount does not have of its own. */
  readonly superblock: readonly string[];
}

/** Bits of mount_setattr(2) that an option sets, or clears with "no" said the other way round. */
const attributes: Readonly<Record<string, { readonly set?: number; readonly clear?: number }>> = {
  ro: { set: f.MOUNT_ATTR_RDONLY },
  rw: { clear: f.MOUNT_ATTR_RDONLY },
  nosuid: { set: f.MOUNT_ATTR_NOSUID },
  suid: { clear: f.MOUNT_ATTR_NOSUID },
  nodev: { set: f.MOUNT_ATTR_NODEV },
  dev: { clear: f.MOUNT_ATTR_NODEV },
  noexec: { set: f.MOUNT_ATTR_NOEXEC },
  exec: { clear: f.MOUNT_ATTR_NOEXEC },
  nosymfollow: { set: f.MOUNT_ATTR_NOSYMFOLLOW },
  symfollow: { clear: f.MOUNT_ATTR_NOSYMFOLLOW },
  nodiratime: { set: f.MOUNT_ATTR_NODIRATIME },
  diratime: { clear: f.MOUNT_ATTR_NODIRATIME },
  // One field of three values: whoever sets one clears the others
  noatime: { set: f.MOUNT_ATTR_NOATIME, clear: f.MOUNT_ATTR__ATIME },
  strictatime: { set: f.MOUNT_ATTR_STRICTATIME, clear: f.MOUNT_ATTR__ATIME },
  relatime: { clear: f.MOUNT_ATTR__ATIME },
  atime: { clear: f.MOUNT_ATTR__ATIME },
  // The kernel's default is relatime all the same
  norelatime: {},
  nostrictatime: { clear: f.MOUNT_ATTR__ATIME },
};

const propagationNames: readonly string[] = [
  "private",
  "rprivate",
  "shared",
  "rshared",
  "slave",
  "rslave",
  "unbindable",
  "runbindable",
];

/** Told to the file system as flags: the new mount API has the same names. "async" and its like are what there is anyway. */
const superblockFlags: readonly string[] = ["sync", "dirsync", "mand", "lazytime", "acl", "noacl"];
const nothing: readonly string[] = ["defaults", "async", "nomand", "nolazytime", "loud", "silent", "noiversion"];

const notYet: Readonly<Record<string, string>> = {
  iversion: "the kernel counts changes of inodes by itself",
};

/** Every option that `features` may tell. */
export const mountOptionNames: readonly string[] = [
  ...Object.keys(attributes),
  ...Object.keys(attributes).map((name) => `r${name}`),
  ...propagationNames,
  ...superblockFlags,
  ...nothing,
  "bind",
  "rbind",
  "idmap",
  "ridmap",
  "remount",
  "tmpcopyup",
].sort();

/** Sorts a mount's `options`. `field` is what errors begin with; what is not an option of mounts is the file system's. */
export function sortOptions(options: readonly string[], field: string): MountOptions {
  const flat = { set: 0, clear: 0 };
  const recursive = { set: 0, clear: 0 };
  const propagation: Propagation[] = [];
  const data: [string, string | true][] = [];
  const superblock: string[] = [];
  let bind: MountOptions["bind"] = "no";
  let idmap: MountOptions["idmap"] = "no";
  for (const option of options) {
    const own = attributes[option];
    const below = option.startsWith("r") ? attributes[option.slice(1)] : undefined;
    const refusal = notYet[option.split("=", 1)[0] ?? ""];
    if (refusal !== undefined) throw new SampanError("unsupported", `${field}: ${option} is not supported: ${refusal}`);
    if (own !== undefined) change(flat, own);
    else if (below !== undefined) change(recursive, below);
    else if (propagationNames.includes(option)) propagation.push(option as Propagation);
    else if (option === "idmap" || option === "ridmap") idmap = option === "idmap" ? "flat" : "recursive";
    else if (option === "bind") bind = bind === "recursive" ? bind : "flat";
    else if (option === "rbind") bind = "recursive";
    else if (superblockFlags.includes(option)) superblock.push(option);
    else if (!["remount", "tmpcopyup"].includes(option) && !nothing.includes(option)) data.push(pair(option, field));
  }
  const set = { recursiveSet: recursive.set, recursiveClear: recursive.clear };
  const remount = options.includes("remount");
  const copyUp = options.includes("tmpcopyup");
  return { attributes: { ...flat, ...set }, propagation, bind, remount, idmap, copyUp, data, superblock };
}

/** The later of two options that contradict each other counts. */
function change(bits: { set: number; clear: number }, { set = 0, clear = 0 }: { set?: number; clear?: number }): void {
  bits.clear = (bits.clear & ~set) | clear;
  bits.set = (bits.set & ~clear) | set;
}

/** fsconfig(2) takes no longer value. */
const longest = 255;

function pair(option: string, field: string): [string, string | true] {
  const equals = option.indexOf("=");
  if (equals < 0) return [option, true];
  const value = option.slice(equals + 1);
  if (Buffer.byteLength(value) > longest)
    throw new SampanError(
      "unsupported",
      `${field}: the value of ${option.slice(0, equals)} has more than ${longest} bytes`,
    );
  return [option.slice(0, equals), value];
}
