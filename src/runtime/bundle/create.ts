import type { Cgroups } from "../../cgroups/types.ts";
import { named, type Slot } from "../../kernel/block.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";
import { Inside } from "../inside.ts";
import { maskPaths, protectPaths } from "../masking.ts";
import { newMount } from "../mounting.ts";
import { Placement } from "../placement.ts";
import { setLimits, setOomScore } from "../process.ts";
import { enterRoot, setPropagation } from "../rootfs.ts";
import { bindConsole, cgroupViews, nameMachine } from "../start.ts";
import type { CgroupView } from "../system-mounts.ts";
import { makeTimeNamespace } from "../time-namespace.ts";
import { propagations, protectRoot, setSysctls } from "../user-mounts.ts";
import { becomeRoot, IdMapper, makeUserNamespace } from "../user-namespace.ts";
import { executeProgram, takeIdentity, takeLastFilter } from "./become.ts";
import { type CopyUp, copiedUp, makeCopyUps } from "./copy-up.ts";
import { fillDev } from "./devices.ts";
import { Gate } from "./gate.ts";
import { runInnerHooks } from "./hooks.ts";
import { takeIdmapped } from "./idmap.ts";
import { takeLabels } from "./labels.ts";
import { mountDirectory, mountListed, takeSources } from "./mounts.ts";
import {
  joinOpened,
  newNamespaces,
  type Opened,
  openMountNamespace,
  openNamespaces,
  raiseLoopback,
} from "./namespaces.ts";
import { LentOomScore } from "./oom-score.ts";
import { SeccompListener } from "./seccomp-listener.ts";
import { BundleStreams } from "./streams.ts";
import type { BundleContainer, BundleMount, BundleProcess, CreateOptions } from "./types.ts";

/** A program of a bundle's container, and where its results are. */
export interface BundleProgram {
  readonly program: Program;
  /** The process, as the caller sees it. */
  readonly pid: Slot;
  /** How it ended, as wait4(2) says, where the program waits for that. */
  readonly status: Slot;
}

/** As `BundleProgram`, of a program that may have more to ask of its caller. */
export interface CreateProgram extends BundleProgram {
  /** What the caller copies at the first reply, unless there is nothing: then there is no such reply. */
  readonly copyUps: readonly CopyUp[];
}

/**
 * The program that makes a container of an OCI bundle, whose first process then waits for its start (`Gate`).
 *
 *     worker: gate ── clone ──▶ child: namespaces, root file system
 *        │ cgroup                   │
 *        ◀─ pause: hooks of the machine ─▶│ hooks in the container, its rights, its user
 *        ◀──────── ready ──────────┘ waits …
 *        leaves, or waits for its end
 */
export function createProgram(container: BundleContainer, options: CreateOptions, cgroups: Cgroups): CreateProgram {
  const { namespaces } = container;
  const p = new Program(`create container ${container.id}`);
  const gate = p.in("process", () => new Gate(p, options.directory, options.connection));
  const placement = new Placement(p, cgroups, container);
  const cgroup = p.in("cgroup", () => placement.before({ complete: typeof namespaces.user === "object" }));
  const streams = p.in("process", () => new BundleStreams(p, container.process, options));
  const listener = p.in("security", () => listenerOf(p, container.process));
  const pause = options.pause ? new Pause(p, options.connection) : undefined;
  const opened = p.in("namespace", () => openNamespaces(p, namespaces));
  const enterMounts = p.in("namespace", () => openMountNamespace(p, container));
  const idmapped = p.in("rootfs", () => takeIdmapped(p, container.mounts, () => usersOf(p, container, opened)));
  const copyUps = p.in("rootfs", () => makeCopyUps(p, container, options.connection));
  const sources = new Map([...idmapped, ...copiedUp(copyUps)]);
  const lent = p.in("process", () => lendOomScore(p, container));
  const mapper = namespaces.user === "new" ? p.in("namespace", () => new IdMapper(p, container.mappings)) : undefined;
  p.in("namespace", () => joinOpened(p, opened, "before", namespaces));
  if (namespaces.time === "new") p.in("namespace", () => makeTimeNamespace(p, container.timeOffsets));
  const { flags, names } = newNamespaces(container);
  const pid = p.slot("pid of the container");
  const note = `start the first process in new namespaces: ${names}`;
  const child = p.in("namespace", () =>
    p.clone({ flags, flagNames: names, note, ...(cgroup && { cgroup }) }, () => {
      p.in("security", () =>
        p.call("prctl", [named(f.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"), 0], {
          note: "let nobody look into this process",
        }),
      );
      p.in("namespace", () => {
        mapper?.await();
        enterMounts();
        joinOpened(p, opened, "inside", namespaces);
        raiseLoopback(p, namespaces);
        nameMachine(p, container);
      });
      childSteps(p, container, { cgroups, placement, streams, gate, pause, pid, sources, listener });
    }),
  );
  p.copy(child.pid, pid.address, "tell the child its process id out here");
  p.in("process", () => lent?.takeBack());
  p.in("namespace", () => mapper?.map(child.pid));
  p.in("cgroup", () => placement.after());
  const ends = p.in("process", () => streams.keep());
  pause?.inWorker();
  p.in("security", () => listener?.handOver(child, gate.ready.first));
  p.in("process", () => {
    gate.awaitReady();
    if (mapper) setLimits(p, container.process, child.pid);
  });
  const status = p.in("process", () => streams.finish(child, ends, options.afterwards));
  return { program: p, pid: child.pid, status, copyUps };
}

interface ChildContext {
  readonly cgroups: Cgroups;
  readonly placement: Placement;
  readonly streams: BundleStreams;
  readonly gate: Gate;
  readonly pause: Pause | undefined;
  readonly pid: Slot;
  readonly listener: SeccompListener | undefined;
  /** Mounts that the worker has made. */
  readonly sources: ReadonlyMap<BundleMount, Slot>;
}

function listenerOf(p: Program, { listener }: BundleProcess): SeccompListener | undefined {
  return listener && new SeccompListener(p, listener);
}

/** In a user namespace the child may not set its own. */
function lendOomScore(p: Program, container: BundleContainer): LentOomScore | undefined {
  const { oomScoreAdj } = container.process;
  return isolatesUsers(container) && oomScoreAdj !== undefined ? new LentOomScore(p, oomScoreAdj) : undefined;
}

/** A user namespace with the container's ids, for what is mapped by it before the container is there. */
function usersOf(p: Program, { mappings }: BundleContainer, opened: readonly Opened[]): Slot {
  const joined = opened.find(({ kind }) => kind === "user");
  return joined?.descriptor ?? makeUserNamespace(p, mappings, "to map a mount's ids by");
}

function childSteps(p: Program, container: BundleContainer, context: ChildContext): void {
  const { process, hooks } = container;
  const { gate, streams, pause, pid, listener } = context;
  const filtered = listener && ((descriptor: Slot) => listener.tell(descriptor, gate.ready.second));
  // A user namespace's root may not write to the machine's cgroups, nor find every path of the machine
  const early = isolatesUsers(container);
  const enterCgroup = () => p.in("cgroup", () => context.placement.enter());
  if (early) enterCgroup();
  const root = p.in("rootfs", () => startRoot(p, container));
  const taken = p.in("rootfs", () => takeSources(p, early ? container.mounts : []));
  if (early) p.in("security", () => becomeRoot(p));
  else enterCgroup();
  const inside = new Inside(p, root);
  p.in("rootfs", () => fillRoot(p, inside, container, { ...context, taken: new Map([...context.sources, ...taken]) }));
  p.in("process", () => {
    streams.connect(inside);
    if (process.terminal && container.ownDev) p.in("rootfs", () => bindConsole(p, inside));
    if (!isolatesUsers(container)) setOomScore(p, process);
    pause?.inChild();
    runInnerHooks(p, hooks, { kind: "createContainer", pid });
  });
  p.in("security", () => takeLabels(p, process.labels));
  p.in("rootfs", () => closeRoot(p, inside, container));
  const limits = container.namespaces.user !== "new";
  takeIdentity(p, process, {
    newKeyring: container.newKeyring,
    limits,
    ownUsers: isolatesUsers(container),
    filtered,
    closeOthers: () => gate.closeOthers(),
  });
  // With somebody to be asked by it, the filter has to be there while the worker is
  if (filtered) takeLastFilter(p, process, { filtered });
  p.in("process", () => {
    gate.wait();
    if (hooks.startContainer.length > 0)
      gate.report("hook", (failure) => runInnerHooks(p, hooks, { kind: "startContainer", pid, failure }));
    if (process.noNewPrivileges && process.seccomp && !filtered)
      gate.report("filter", (failure) => takeLastFilter(p, process, failure));
    gate.report("execute", (failure) => executeProgram(p, process, failure));
  });
}

/** The machine's mounts as this namespace is to follow them, and the bundle's root over itself. */
function startRoot(p: Program, { root }: BundleContainer): Slot {
  p.call("umask", [0], { note: "let modes be what they say" });
  const { flag, recursive } = propagations[root.propagation];
  // What is unbindable already could not be taken as the root
  const first = flag === f.MS_UNBINDABLE ? f.MS_PRIVATE : flag;
  const flags = first | (recursive ? f.MS_REC : 0);
  setPropagation(
    p,
    named(flags, root.propagation),
    "let no mount made here reach the machine, unless that was asked for",
  );
  if (root.sharedWithin !== undefined)
    p.call("mount", [0, p.text(root.sharedWithin), 0, named(f.MS_PRIVATE, "MS_PRIVATE"), 0], {
      note: "but for the mount that the root file system lies in",
    });
  return mountDirectory(p, root.directory);
}

function isolatesUsers({ namespaces }: BundleContainer): boolean {
  return namespaces.user !== "host";
}

interface RootContext extends ChildContext {
  readonly taken: ReadonlyMap<BundleMount, Slot>;
}

function fillRoot(p: Program, inside: Inside, container: BundleContainer, context: RootContext): void {
  mountListed(p, inside, container.mounts, viewsOf(container, context.cgroups), context.taken);
  const fromMachine = isolatesUsers(container);
  if (container.ownDev) p.in("device", () => fillDev(p, inside, container.devices, { fromMachine }));
  if (container.process.cwd !== "/")
    inside.directory(container.process.cwd, `find the working directory ${container.process.cwd}`);
}

/** Without a cgroup namespace of its own, the container is shown its own directories only. */
function viewsOf({ namespaces, cgroupPath }: BundleContainer, cgroups: Cgroups): CgroupView[] {
  const { hierarchies } = cgroups.layout;
  const views = cgroupViews(hierarchies);
  if (namespaces.cgroup === "new") return views;
  return views.map((view, index) => ({ ...view, source: `${hierarchies[index]?.mountPoint}${cgroupPath}` }));
}

/** What nothing may be mounted after: kernel settings, protected and hidden paths, and the change of root. */
function closeRoot(p: Program, inside: Inside, container: BundleContainer): void {
  p.in("security", () => {
    if (Object.keys(container.sysctls).length > 0) setSysctls(p, ownProc(p), container.sysctls);
    protectPaths(p, inside, container.readonlyPaths);
    maskPaths(p, inside, machineDev(p), container.maskedPaths);
    if (container.root.readOnly) protectRoot(p, inside.root);
  });
  enterRoot(p, inside.root, { pivot: container.pivot });
  const { flag, recursive } = propagations[container.root.propagation];
  if (flag === f.MS_SLAVE) return;
  setPropagation(
    p,
    named(flag | (recursive ? f.MS_REC : 0), container.root.propagation),
    "let the root's mounts follow as was asked for",
  );
}

/** A /proc of the container's namespaces that nobody else can reach: what is in its place in the container may be anything (CVE-2025-52881). */
function ownProc(p: Program): Slot {
  const attributes = f.MOUNT_ATTR_NOSUID | f.MOUNT_ATTR_NODEV | f.MOUNT_ATTR_NOEXEC;
  return newMount(p, { type: "proc", options: [], attributes, note: "make a /proc to set kernel parameters by" });
}

/** Files are hidden with the machine's own /dev/null: the container's may be an image's (CVE-2025-31133). */
function machineDev(p: Program): Slot {
  const flags = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  return p.sys("openat", [f.AT_FDCWD, p.text("/dev"), flags, 0], { note: "find the machine's /dev" });
}

/** Where the program and its caller take turns: the mounts are there, and hooks may run before anything else does. */
class Pause {
  readonly #p: Program;
  readonly #connection: number;
  readonly #mounted: ReturnType<Program["pair"]>;
  readonly #go: ReturnType<Program["pair"]>;

  constructor(p: Program, connection: number) {
    this.#p = p;
    this.#connection = connection;
    this.#mounted = p.pair("mounted");
    this.#go = p.pair("go");
    for (const { address } of [this.#mounted, this.#go])
      p.call("pipe2", [address, named(f.O_CLOEXEC, "O_CLOEXEC")], { note: "make a pipe to take turns by" });
  }

  inWorker(): void {
    const p = this.#p;
    for (const theirs of [this.#mounted.second, this.#go.first]) p.call("close", [theirs], { note: "the child's end" });
    p.call("read", [this.#mounted.first, p.buffer(8, "byte"), 1], { note: "wait until its mounts are there" });
    p.check("has it failed?");
    p.reply("let hooks run");
    p.call("read", [this.#connection, p.buffer(8, "byte"), 1], { note: "wait until they have run", full: true });
    p.call("write", [this.#go.second, p.text("."), 1], { note: "let it go on" });
  }

  inChild(): void {
    const p = this.#p;
    p.call("close", [this.#go.second], { note: "hear it if the worker dies" });
    p.call("write", [this.#mounted.second, p.text("."), 1], { note: "tell that the mounts are there" });
    p.call("read", [this.#go.first, p.buffer(8, "byte"), 1], { note: "wait for the hooks of the machine", full: true });
  }
}
