import * as f from "../../kernel/flags.ts";

/** The kinds of namespaces that a bundle may ask for, besides the mount namespace, which no container does without. */
const kinds = {
  user: { flag: f.CLONE_NEWUSER, flagName: "NEWUSER", file: "user" },
  pid: { flag: f.CLONE_NEWPID, flagName: "NEWPID", file: "pid" },
  network: { flag: f.CLONE_NEWNET, flagName: "NEWNET", file: "net" },
  ipc: { flag: f.CLONE_NEWIPC, flagName: "NEWIPC", file: "ipc" },
  uts: { flag: f.CLONE_NEWUTS, flagName: "NEWUTS", file: "uts" },
  cgroup: { flag: f.CLONE_NEWCGROUP, flagName: "NEWCGROUP", file: "cgroup" },
  time: { flag: f.CLONE_NEWTIME, flagName: "NEWTIME", file: "time" },
} as const;

export type NamespaceKind = keyof typeof kinds;

export const namespaceKinds = Object.keys(kinds) as readonly NamespaceKind[];

/** The name below /proc/PID/ns. */
export function namespaceFile(kind: NamespaceKind): string {
  return kinds[kind].file;
}

/** The flag of clone3(2), setns(2) and unshare(2), and its name. */
export function namespaceFlag(kind: NamespaceKind): { readonly flag: number; readonly name: string } {
  const { flag, flagName } = kinds[kind];
  return { flag, name: `CLONE_${flagName}` };
}

/** The flags of `chosen`, and what they are called. */
export function flagsOf(chosen: readonly NamespaceKind[]): { readonly flags: number; readonly names: string } {
  const all = chosen.map(namespaceFlag);
  return { flags: all.reduce((sum, { flag }) => sum | flag, 0), names: all.map(({ name }) => name).join("|") };
}

/** The flags of a mount namespace and of `chosen`, and what they are called. */
export function withMounts(chosen: readonly NamespaceKind[]): { readonly flags: number; readonly names: string } {
  const { flags, names } = flagsOf(chosen);
  return { flags: flags | f.CLONE_NEWNS, names: ["CLONE_NEWNS", ...(names ? [names] : [])].join("|") };
}
