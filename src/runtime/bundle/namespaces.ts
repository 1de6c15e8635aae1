import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import { linkUp, loopbackIndex } from "../../kernel/netlink/link.ts";
import { ask, openNetlink } from "../../kernel/netlink/request.ts";
import type { Program } from "../../kernel/program.ts";
import { flagsOf, type NamespaceKind, namespaceFlag, namespaceKinds, withMounts } from "./namespace-kinds.ts";
import type { BundleContainer, BundleNamespaces } from "./types.ts";

/** A namespace behind a path, held open. */
export interface Opened {
  readonly kind: NamespaceKind;
  readonly path: string;
  readonly descriptor: Slot;
}

/**
 * Opens what is to be joined, in the machine's file systems. What is joined is of the type that config.json says: setns(2)
 * is told, and refuses anything else with EINVAL.
 */
export function openNamespaces(p: Program, namespaces: BundleNamespaces): Opened[] {
  return namespaceKinds.flatMap((kind) => {
    const namespace = namespaces[kind];
    if (typeof namespace === "string") return [];
    const open = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
    const descriptor = p.sys("openat", [f.AT_FDCWD, p.text(namespace.path), open, 0], {
      note: `open the ${kind} namespace ${namespace.path}`,
    });
    return [{ kind, path: namespace.path, descriptor }];
  });
}

/**
 * A PID namespace is joined "before" the clone, for it only takes effect for children; the others "inside", by the child.
 * With a user namespace all are joined before, while the worker has the machine's rights to, and that one as the last: whoever
 * is in it has none any more.
 */
export function joinOpened(
  p: Program,
  opened: readonly Opened[],
  when: "before" | "inside",
  { user }: BundleNamespaces,
): void {
  const early = (kind: NamespaceKind) => kind === "pid" || user !== "host";
  const chosen = opened.filter(({ kind }) => early(kind) === (when === "before"));
  const last = chosen.filter(({ kind }) => kind === "user");
  for (const { kind, path, descriptor } of [...chosen.filter((one) => !last.includes(one)), ...last]) {
    const { flag, name } = namespaceFlag(kind);
    p.call("setns", [descriptor, named(flag, name)], { note: `join the ${kind} namespace ${path}` });
  }
}

/**
 * What clone3 makes new. The cgroup namespace is made later, where the process is in its cgroup, the time namespace before
 * (`makeTimeNamespace`).
 */
export function newNamespaces({ namespaces, mountNamespace }: BundleContainer): { flags: number; names: string } {
  const late: readonly NamespaceKind[] = ["cgroup", "time"];
  const chosen = namespaceKinds.filter((kind) => !late.includes(kind) && namespaces[kind] === "new");
  return mountNamespace === undefined ? withMounts(chosen) : flagsOf(chosen);
}

/** Opens the mount namespace that the container takes over; the answer enters it, in the child: it is to see its paths. */
export function openMountNamespace(p: Program, { mountNamespace: path }: BundleContainer): () => void {
  if (path === undefined) return () => {};
  const open = named(f.O_RDONLY | f.O_CLOEXEC, "O_RDONLY|O_CLOEXEC");
  const descriptor = p.sys("openat", [f.AT_FDCWD, p.text(path), open, 0], { note: `open the mount namespace ${path}` });
  return () =>
    p.call("setns", [descriptor, named(f.CLONE_NEWNS, "CLONE_NEWNS")], {
      note: `take over the mount namespace ${path}`,
    });
}

/** Brings up the loopback interface of a network namespace that has just been made. */
export function raiseLoopback(p: Program, namespaces: BundleNamespaces): void {
  if (namespaces.network !== "new") return;
  const rtnetlink = openNetlink(p, "NETLINK_ROUTE", "make a socket to configure the network by");
  ask(p, rtnetlink, linkUp(loopbackIndex, 1), { note: "bring up the loopback interface" });
}
