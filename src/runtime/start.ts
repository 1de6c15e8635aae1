import type { Cgroups, Hierarchy } from "../cgroups/types.ts";
import { named, type Slot } from "../kernel/block.ts";
import type { Executable } from "../kernel/executor.ts";
import * as f from "../kernel/flags.ts";
import { Program } from "../kernel/program.ts";
import { Inside } from "./inside.ts";
import { cloneIsolated, type Isolation, inheritedScore, isolate, letGoOf, ownerOf } from "./isolation.ts";
import { maskPaths, protectPaths } from "./masking.ts";
import { attach, copyTree } from "./mounting.ts";
import { cloneFlags, findShared, joinNamespaces, type SharedNamespace, takeSharedMemory } from "./namespaces.ts";
import {
  inNetwork,
  letGo,
  makeNetworkNamespace,
  type NetworkNamespace,
  networkOfProcess,
} from "./network-namespace.ts";
import { mountFiles } from "./own-files.ts";
import { Placement } from "./placement.ts";
import { becomeProcess, endWithMonitor } from "./process.ts";
import { enterRoot, isolateMounts, makeRoot, mountRoot } from "./rootfs.ts";
import { makeStdio } from "./stdio.ts";
import { superviseSteps } from "./supervision.ts";
import { type CgroupView, mountCgroups, mountSystem } from "./system-mounts.ts";
import { makeTimeNamespace } from "./time-namespace.ts";
import type { ContainerSpec, StartOptions } from "./types.ts";
import { mountAll, protectRoot, setSysctls, takeShared } from "./user-mounts.ts";
import { becomeRoot } from "./user-namespace.ts";

/** What this kernel can do that not every supported one can. */
export interface KernelFeatures {
  /** overlayfs takes its layers one by one: Linux 6.5. */
  readonly lowerdirPlus: boolean;
}

/** Where and on what a container is started. */
export interface StartHost {
  readonly cgroups: Cgroups;
  readonly kernel: KernelFeatures;
  /** Made ahead; without it the program makes one. */
  readonly network?: NetworkNamespace | undefined;
}

export interface StartProgram<P = Executable> {
  readonly program: P;
  /** Process id of the container's first process, as the machine sees it. */
  readonly pid: Slot;
}

/**
 * The program that makes a container and becomes its monitor.
 *
 *     worker: pipes ── clone ──▶ child: names and root file system, enters the cgroup, drops its rights, execve
 *        │ cgroup, socket, log             │
 *        ◀── end of the status pipe ───────┘ (closed by execve, or by the child's death)
 *        check ─▶ reply ─▶ supervise
 */
export function startProgram(spec: ContainerSpec, options: StartOptions, host: StartHost): StartProgram<Program> {
  const p = new Program(`start container ${spec.id.slice(0, 12)}`);
  p.call("prctl", [named(f.PR_SET_NAME, "PR_SET_NAME"), p.text("sampan-monitor")], { note: "take a name" });
  const placement = new Placement(p, host.cgroups, spec);
  const cgroup = p.in("cgroup", () => placement.before());
  const stdio = p.in("monitor", () => makeStdio(p, spec.process, ownerOf(spec.users, spec.process)));
  const status = p.in("monitor", () => statusPipe(p));
  const shared = p.in("namespace", () => findShared(p, spec.namespaces));
  const isolation = spec.users && isolate(p, spec, spec.users, host.kernel);
  const root = isolation?.root ?? p.in("rootfs", () => makeRoot(p, spec.root, host.kernel));
  const context = { ...host, placement, shared, root, stdio, status: status.second, isolation };
  const { child, network } = bear(p, spec, { ...context, cgroup });
  p.in("cgroup", () => placement.after());
  const giveBack = network && p.in("network", () => connect(p, spec, network, placement));
  const ends = p.in("monitor", () => stdio.keep());
  superviseSteps(p, {
    process: spec.process,
    files: options.files,
    hold: options.hold,
    ends,
    child,
    status,
    title: `sampan-monitor ${spec.id}`,
    oomFile: host.cgroups.oomCounter(spec.cgroupPath),
    giveBack: giveBack && (() => p.in("network", giveBack)),
    cleanUp: () => {
      p.in("cgroup", () => host.cgroups.remove(p, spec.cgroupPath));
      if (root) p.in("rootfs", () => p.call("close", [root], { note: "let the root file system go" }));
    },
  });
  return { program: p, pid: child.pid };
}

/** The first process, in its namespaces, and the network of its own, if it has one. */
function bear(
  p: Program,
  spec: ContainerSpec,
  { cgroup, ...context }: ChildContext & { readonly cgroup: Slot | undefined; readonly network?: StartHost["network"] },
): { child: ReturnType<Program["clone"]>; network: NetworkNamespace | undefined } {
  const { isolation, shared } = context;
  const { time } = spec.namespaces;
  const { flags, names: flagNames } = cloneFlags(spec.namespaces, { users: isolation !== undefined });
  const note = `start the first process in new namespaces: ${flagNames}`;
  const options = { flags, flagNames, note, ...(cgroup && { cgroup }) };
  const steps = () => childSteps(p, spec, context);
  if (isolation === undefined) {
    p.in("namespace", () => joinNamespaces(p, shared, "before"));
    const network = networkOf(p, spec, context.network);
    if (time) p.in("namespace", () => makeTimeNamespace(p, time));
    const child = p.in("namespace", () => inNetwork(p, network, () => p.clone(options, steps)));
    return { child, network };
  }
  const before = () => {
    joinNamespaces(p, shared, "before");
    if (time) makeTimeNamespace(p, time);
  };
  const born = { ...options, process: spec.process, before };
  const child = p.in("namespace", () => cloneIsolated(p, isolation.namespace, born, steps));
  letGoOf(p, isolation);
  if (spec.namespaces.network !== "new") return { child, network: undefined };
  return { child, network: p.in("network", () => networkOfProcess(p, child.pid)) };
}

/** The network namespace of the container's own, if it has one. */
function networkOf(p: Program, { namespaces }: ContainerSpec, ahead?: NetworkNamespace): NetworkNamespace | undefined {
  if (namespaces.network !== "new") return undefined;
  return ahead ?? p.in("network", () => makeNetworkNamespace(p));
}

/**
 * While the child builds its root; it waits for this before it executes its program. The answer adds the steps that give
 * back what the monitor holds for the container.
 */
function connect(
  p: Program,
  spec: ContainerSpec,
  network: NetworkNamespace,
  placement: Placement,
): (() => void) | undefined {
  const giveBack = p.variable(() => spec.connect?.(p, network));
  if (spec.connect) placement.connected();
  letGo(p, network);
  return giveBack && (() => p.variable(giveBack));
}

/** A pipe that execve closes: its end tells that the program runs, or that the child has died trying. */
export function statusPipe(p: Program): ReturnType<Program["pair"]> {
  const pipe = p.pair("status");
  p.call("pipe2", [pipe.address, named(f.O_CLOEXEC, "O_CLOEXEC")], {
    note: "make a pipe that tells when the program runs",
  });
  return pipe;
}

interface ChildContext {
  readonly cgroups: Cgroups;
  readonly kernel: KernelFeatures;
  readonly placement: Placement;
  readonly shared: readonly SharedNamespace[];
  /** The root file system, if the monitor has made it. */
  readonly root: Slot | undefined;
  readonly stdio: ReturnType<typeof makeStdio>;
  readonly status: Slot;
  /** Of a container with users of its own. */
  readonly isolation: Isolation | undefined;
}

function childSteps(p: Program, spec: ContainerSpec, context: ChildContext): void {
  p.in("security", () =>
    p.call("prctl", [named(f.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), 0], { note: "let nobody look into this process" }),
  );
  const memory = p.in("namespace", () => {
    joinNamespaces(p, context.shared, "inside");
    nameMachine(p, spec);
    return takeSharedMemory(p, context.shared);
  });
  const { root, taken } = p.in("rootfs", () => {
    p.call("umask", [0], { note: "let modes be what they say" });
    const taken = context.isolation?.trees ?? takeShared(p, spec.mounts);
    isolateMounts(p);
    return { taken, root: mountRoot(p, spec.root, context.kernel, context.root) };
  });
  if (context.isolation) becomeTheirRoot(p, context);
  const inside = new Inside(p, root);
  p.in("rootfs", () => buildRoot(p, inside, spec, { ...context, memory, taken }));
  p.in("process", () => context.stdio.connect(inside));
  p.in("rootfs", () => {
    if (spec.process.terminal) bindConsole(p, inside);
    enterRoot(p, root);
  });
  if (spec.connect) p.in("network", () => context.placement.awaitNetwork());
  const process = context.isolation ? inheritedScore(spec.process) : spec.process;
  becomeProcess(p, process, { status: context.status, init: spec.init });
}

/** To the machine's cgroups and paths the process has a way only before. */
function becomeTheirRoot(p: Program, { placement }: ChildContext): void {
  p.in("cgroup", () => placement.enter());
  p.in("security", () => {
    becomeRoot(p);
    endWithMonitor(p);
  });
}

export function nameMachine(
  p: Program,
  spec: Pick<ContainerSpec, "hostname" | "domainname"> & { namespaces: { readonly uts: unknown } },
): void {
  if (spec.namespaces.uts !== "new") return;
  p.call("sethostname", [p.text(spec.hostname), Buffer.byteLength(spec.hostname)], {
    note: `call the machine ${spec.hostname}`,
  });
  if (!spec.domainname) return;
  p.call("setdomainname", [p.text(spec.domainname), Buffer.byteLength(spec.domainname)], {
    note: `in the domain ${spec.domainname}`,
  });
}

interface RootContext extends Pick<ChildContext, "cgroups" | "kernel" | "placement" | "isolation"> {
  readonly memory: Slot | undefined;
  readonly taken: ReturnType<typeof takeShared>;
}

function buildRoot(p: Program, inside: Inside, spec: ContainerSpec, context: RootContext): void {
  const { cgroups, kernel, placement, memory, taken, isolation } = context;
  markAsContainer(p, inside);
  const { proc, dev } = mountSystem(p, inside, spec, { memory, dev: isolation?.dev });
  if (isolation === undefined) p.in("cgroup", () => placement.enter());
  const at = inside.open("/sys/fs/cgroup", f.O_PATH | f.O_DIRECTORY, { note: "find /sys/fs/cgroup" });
  mountCgroups(p, at, cgroupViews(cgroups.layout.hierarchies), { writable: spec.writableSys });
  mountAll(p, inside, spec.mounts, { kernel, mountPoint: spec.root.mountPoint }, taken);
  mountFiles(p, inside, dev, spec.files ?? []);
  if (spec.process.cwd !== "/") inside.directory(spec.process.cwd, `find the working directory ${spec.process.cwd}`);
  p.in("security", () => {
    setSysctls(p, proc, spec.sysctls);
    protectPaths(p, inside, spec.readonlyPaths);
    maskPaths(p, inside, dev, spec.maskedPaths);
    if (spec.root.readOnly) protectRoot(p, inside.root);
  });
}

/** Programs tell by this file that they are in a container. */
function markAsContainer(p: Program, inside: Inside): void {
  p.call("mknodat", [inside.root, p.text(".dockerenv"), named(f.S_IFREG | 0o755, "S_IFREG|0755"), 0], {
    note: "leave the mark that programs know a container by, /.dockerenv",
    tolerate: ["EEXIST"],
  });
}

/**
 * /dev/console is the terminal itself, the process's standard input by now: by descriptor, for a path below /dev is the
 * container's to change (CVE-2025-52565).
 */
export function bindConsole(p: Program, inside: Inside): void {
  const terminal = copyTree(p, { directory: 0, path: p.text(""), recursive: false, note: "take the terminal" });
  attach(p, terminal, inside.file("/dev/console", "find /dev/console"), "make it /dev/console");
}

/** The hierarchies as a container with a cgroup namespace of its own sees them. */
export function cgroupViews(hierarchies: readonly Hierarchy[]): CgroupView[] {
  return hierarchies.map((hierarchy) => ({
    type: hierarchy.type,
    directory: hierarchy.directory,
    options: viewOptions(hierarchy),
  }));
}

function viewOptions(hierarchy: Hierarchy): (readonly [string, string | true])[] {
  if (hierarchy.type === "cgroup2") return [];
  if (hierarchy.name !== undefined)
    return [
      ["none", true],
      ["name", hierarchy.name],
    ];
  return hierarchy.controllers.map((controller) => [controller, true] as const);
}
