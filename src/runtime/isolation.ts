import { readFileSync } from "node:fs";
import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import type { CloneOptions, Program } from "../kernel/program.ts";
import { readHardLimits } from "../kernel/rlimits.ts";
import { mapIds } from "./idmapped.ts";
import { makeOwnedDev } from "./isolated-dev.ts";
import { makeMappedRoot, takeMappedLayers, type Workshop } from "./isolated-root.ts";
import { raiseLimits, setOomScore } from "./process.ts";
import type { KernelFeatures } from "./start.ts";
import type { BindMount, ContainerSpec, ContainerUsers, Mount, ProcessSpec } from "./types.ts";
import { takeTree } from "./user-mounts.ts";
import { isIdentity, machineId, makeUserNamespace } from "./user-namespace.ts";

/** What the worker makes of the machine for a container with users of its own, whose root may do none of it. */
export interface Isolation {
  /** The user namespace. */
  readonly namespace: Slot;
  readonly root: Slot;
  readonly dev: Slot;
  /** The sources of its binds, and of what is made of layers. */
  readonly trees: ReadonlyMap<Mount, Slot>;
}

/**
 * Prepares the start of a container with users of its own. Files keep the container's ids on the disk: its layers, volumes
 * and binds are mounted with theirs mapped (`mapIds`), so that images are neither copied nor changed, and what reads a
 * container's files from outside reads the same ids as without.
 */
export function isolate(p: Program, spec: ContainerSpec, users: ContainerUsers, kernel: KernelFeatures): Isolation {
  const namespace = p.in("namespace", () =>
    users.pid === undefined
      ? makeUserNamespace(p, users.mappings, "for the container")
      : openUsers(p, users.pid, `share the users of process ${users.pid}`),
  );
  const mapping = isIdentity(users.mappings) ? undefined : { namespace, ...rootOf(users) };
  const workshop = { mountPoint: spec.root.mountPoint, mapping, kernel };
  const root = p.in("rootfs", () => makeMappedRoot(p, spec.root, workshop));
  const dev = p.in("device", () => makeOwnedDev(p, spec.devices, users.mappings, rootOf(users)));
  const trees = p.in("rootfs", () => takeSources(p, spec.mounts, workshop));
  return { namespace, root, dev, trees };
}

/** The container's root, as the machine knows it. */
function rootOf({ mappings }: ContainerUsers): { uid: number; gid: number } {
  return { uid: machineId(mappings.users, 0) ?? 0, gid: machineId(mappings.groups, 0) ?? 0 };
}

/** The user namespace of a process. */
export function openUsers(p: Program, pid: number, note: string): Slot {
  const open = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
  return p.sys("openat", [f.AT_FDCWD, p.text(`/proc/${pid}/ns/user`), open, 0], { note });
}

function takeSources(p: Program, mounts: readonly Mount[], workshop: Workshop): ReadonlyMap<Mount, Slot> {
  const taken = new Map<Mount, Slot>();
  for (const mount of mounts) {
    if (mount.type === "bind") taken.set(mount, takeBind(p, mount, workshop));
    else if (mount.type === "layers") taken.set(mount, takeMappedLayers(p, mount, workshop));
  }
  return taken;
}

function takeBind(p: Program, mount: BindMount, { mapping }: Workshop): Slot {
  const tree = takeTree(p, mount);
  const { source, recursive } = mount;
  if (mapping) mapIds(p, tree, mapping.namespace, { what: source, recursive });
  return tree;
}

/** `setns` into a user namespace: from then on the process has every right there, and none on the machine. */
export function enterUsers(p: Program, namespace: Slot): void {
  p.call("setns", [namespace, named(f.CLONE_NEWUSER, "CLONE_NEWUSER")], { note: "enter the user namespace" });
}

/** `child` with the steps before it: what only the machine's root may do, and the namespaces to be born in. */
interface Born extends CloneOptions {
  readonly process: ProcessSpec;
  /** In the user namespace, before the clone. */
  readonly before: () => void;
}

/**
 * Clones a child whose namespaces belong to the user namespace. Who enters that never comes back, and the worker has to stay
 * the machine's: a process between them enters it, and clones the child as its sibling.
 */
export function cloneIsolated(
  p: Program,
  namespace: Slot,
  { process, before, ...options }: Born,
  child: () => void,
): { pid: Slot; pidfd: Slot } {
  const pid = p.slot("pid");
  const between = p.clone({ flags: 0, note: "start a process to go ahead" }, () => {
    takeMachineRights(p, process);
    enterUsers(p, namespace);
    before();
    const inner = p.clone({ ...options, sibling: true }, child);
    p.copy(inner.pid, pid.address, "tell its process id");
    p.exit(0, "leave");
  });
  p.call("wait4", [between.pid, 0, 0, 0], { note: "see it go" });
  p.check("has it failed?");
  p.call("close", [between.pidfd], { note: "it has gone" });
  return { pid, pidfd: p.sys("pidfd_open", [pid, 0], { note: "keep hold of the first process" }) };
}

/** The limits and the score that a process may have, and that no user namespace's root may raise to. */
export function takeMachineRights(p: Program, process: ProcessSpec): void {
  p.in("process", () => {
    setOomScore(p, process);
    raiseLimits(p, process, readHardLimits(readFileSync("/proc/self/limits", "utf8")));
  });
}

/** Of a process that `takeMachineRights` has given its OOM score already. */
export function inheritedScore({ oomScoreAdj: _, ...process }: ProcessSpec): ProcessSpec {
  return process;
}

/** The container has what was prepared, or is about to take it by descriptors of its own. */
export function letGoOf(p: Program, { namespace, dev, trees }: Isolation): void {
  for (const descriptor of [namespace, dev, ...trees.values()])
    p.call("close", [descriptor], { note: "leave it to the container" });
}

/** Whose the pipes of a process are, so that it may open them again by their names. */
export function ownerOf(
  users: ContainerUsers | undefined,
  { user: { uid, gid } }: ProcessSpec,
): { uid: number; gid: number } | undefined {
  if (users === undefined) return undefined;
  const owner = { uid: machineId(users.mappings.users, uid), gid: machineId(users.mappings.groups, gid) };
  return { uid: owner.uid ?? 0, gid: owner.gid ?? 0 };
}
