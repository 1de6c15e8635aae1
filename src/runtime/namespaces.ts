import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { Program } from "../kernel/program.ts";
import type { Namespace, Namespaces } from "./types.ts";

/** Flag of each namespace; the mount namespace is always the container's own. */
export const flags = {
  pid: f.CLONE_NEWPID,
  network: f.CLONE_NEWNET,
  ipc: f.CLONE_NEWIPC,
  uts: f.CLONE_NEWUTS,
  cgroup: f.CLONE_NEWCGROUP,
} as const;

export const flagNames = {
  pid: "NEWPID",
  network: "NEWNET",
  ipc: "NEWIPC",
  uts: "NEWUTS",
  cgroup: "NEWCGROUP",
} as const;

type Kind = keyof typeof flags;
const kinds = Object.keys(flags) as Kind[];

/**
 * What clone3 makes new. The network namespace is there already, and inherited, unless it is to be that of the container's own
 * `users`. The cgroup namespace is made later, by the child: its root is where the process is then.
 */
export function cloneFlags(namespaces: Namespaces, { users }: { users: boolean }): { flags: number; names: string } {
  const late: readonly Kind[] = users ? ["cgroup"] : ["cgroup", "network"];
  const fresh = kinds.filter((kind) => !late.includes(kind) && namespaces[kind] === "new");
  return {
    flags: fresh.reduce((sum, kind) => sum | flags[kind], f.CLONE_NEWNS),
    names: ["NEWNS", ...fresh.map((kind) => flagNames[kind])].map((name) => `CLONE_${name}`).join("|"),
  };
}

function isJoined(namespace: Namespace): namespace is { pid: number } {
  return typeof namespace === "object";
}

/** A descriptor that stands for the process, whatever becomes of its number. */
export function openProcess(p: Program, pid: number): Slot {
  return p.sys("pidfd_open", [pid, 0], { note: `find process ${pid}` });
}

/** A namespace of another process that a container is to join. */
export interface SharedNamespace {
  readonly kind: Kind;
  readonly pid: number;
  readonly process: Slot;
}

/** Finds what is to be joined before anything is: in another PID namespace the machine's numbers mean nothing. */
export function findShared(p: Program, namespaces: Namespaces): SharedNamespace[] {
  return kinds.flatMap((kind) => {
    const namespace = namespaces[kind];
    return isJoined(namespace) ? [{ kind, pid: namespace.pid, process: openProcess(p, namespace.pid) }] : [];
  });
}

/**
 * Joins what the container shares with another one. A PID namespace is joined "before" the clone, for it only takes
 * effect for children; the others are joined "inside", by the child.
 */
export function joinNamespaces(p: Program, shared: readonly SharedNamespace[], when: "before" | "inside"): void {
  for (const { kind, pid, process } of shared) {
    if ((kind === "pid") !== (when === "before")) continue;
    p.call("setns", [process, named(flags[kind], `CLONE_${flagNames[kind]}`)], {
      note: `share the ${kind} namespace of process ${pid}`,
    });
  }
}

/**
 * A detached copy of /dev/shm of the container whose IPC namespace is joined. It is taken in that one's mount namespace,
 * for a mount of another cannot be copied from here, and is attached in ours.
 */
export function takeSharedMemory(p: Program, shared: readonly SharedNamespace[]): Slot | undefined {
  const owner = shared.find(({ kind }) => kind === "ipc");
  if (owner === undefined) return undefined;
  const own = p.sys(
    "openat",
    [f.AT_FDCWD, p.text("/proc/self/ns/mnt"), named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"), 0],
    { note: "keep the way back to its own mounts" },
  );
  const mounts = named(f.CLONE_NEWNS, "CLONE_NEWNS");
  p.call("setns", [owner.process, mounts], { note: `go where process ${owner.pid} has its mounts` });
  const memory = p.sys(
    "open_tree",
    [
      f.AT_FDCWD,
      p.text("/dev/shm"),
      named(
        f.OPEN_TREE_CLONE | f.OPEN_TREE_CLOEXEC | f.AT_SYMLINK_NOFOLLOW,
        "OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_SYMLINK_NOFOLLOW",
      ),
    ],
    { note: "take its shared memory" },
  );
  p.call("setns", [own, mounts], { note: "come back" });
  return memory;
}

/**
 * All namespaces that a container has of its own, for who enters it; the PID namespace is entered apart. `users`: that of
 * users, too.
 */
export function ownNamespaces(namespaces: Namespaces, { users }: { users: boolean }): { flags: number; names: string } {
  const own = kinds.filter((kind) => kind !== "pid" && namespaces[kind] !== "host");
  const time = namespaces.time === undefined ? 0 : f.CLONE_NEWTIME;
  const names = ["NEWNS", ...own.map((kind) => flagNames[kind]), ...(time ? ["NEWTIME"] : [])];
  return {
    flags: own.reduce((sum, kind) => sum | flags[kind], f.CLONE_NEWNS | time | (users ? f.CLONE_NEWUSER : 0)),
    names: [...names, ...(users ? ["NEWUSER"] : [])].map((name) => `CLONE_${name}`).join("|"),
  };
}
