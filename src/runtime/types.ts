import type { Socket } from "node:net";
import type { Resources } from "../cgroups/types.ts";
import type { CapabilitySets } from "../kernel/capabilities.ts";
import type { LandlockRuleset } from "../kernel/landlock/ruleset.ts";
import type { Program } from "../kernel/program.ts";
import type { RlimitName } from "../kernel/rlimits.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import type { TimeOffsets } from "./time-namespace.ts";
import type { IdMappings } from "./user-namespace.ts";

/** A namespace of a container: made for it, the machine's own, or that of the process `pid` (as seen by the machine). */
export type Namespace = "new" | "host" | { readonly pid: number };

export interface Namespaces {
  readonly pid: Namespace;
  readonly network: Namespace;
  readonly ipc: Namespace;
  readonly uts: Namespace;
  readonly cgroup: Exclude<Namespace, { pid: number }>;
  /** Clocks of its own; the machine's when absent. */
  readonly time?: TimeOffsets;
}

/** A directory made in a throw-away upper directory before the overlay is mounted; parents come before children. */
export interface PreparedDirectory {
  /** Relative to the root, without a leading "/". */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Hides what the layers have there. */
  readonly opaque: boolean;
}

/** The root file system: an overlay, made inside the container's mount namespace. */
export interface RootFilesystem {
  /** Layer directories, top first. */
  readonly lower: readonly string[];
  /** The container's own directories; "throw-away" is a tmpfs that ends with the container. */
  readonly upper: { readonly upper: string; readonly work: string } | "throw-away";
  /** Further options of the overlay, each "name=value". */
  readonly options?: readonly string[];
  /** Only ever for "throw-away". */
  readonly prepared: readonly PreparedDirectory[];
  /** An empty directory to mount it at; seen by nobody else. */
  readonly mountPoint: string;
  readonly readOnly: boolean;
}

export type Propagation =
  | "private"
  | "rprivate"
  | "shared"
  | "rshared"
  | "slave"
  | "rslave"
  | "unbindable"
  | "runbindable";

interface MountTarget {
  /** Absolute path in the container; resolved inside it, made when missing. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface BindMount extends MountTarget {
  readonly type: "bind";
  /** Absolute path on the machine. */
  readonly source: string;
  /** What the source is: the target that is made when missing is the same. */
  readonly sourceIsDirectory: boolean;
  readonly recursive: boolean;
  readonly propagation: Propagation;
  /** Of a read-only mount: what is mounted below it keeps its own right. */
  readonly writableBelow?: boolean;
  /** The source is what `subpath` leads to inside this directory, whose links others may make. */
  readonly within?: string;
  readonly subpath?: string;
}

export interface TmpfsMount extends MountTarget {
  readonly type: "tmpfs";
  /** Bytes; undefined is the kernel's default, half of the memory. */
  readonly size?: number;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly exec: boolean;
  readonly suid: boolean;
  readonly dev: boolean;
}

/** Directories laid over each other, or a part of what they are then, as they are for this container alone. */
export interface LayersMount {
  readonly type: "layers";
  readonly target: string;
  /** Directories, top first; at least two where there is no upper one. Their containers never change them. */
  readonly lower: readonly string[];
  /** Where changes go, which nobody wants to keep; without it there can be none. */
  readonly upper: { readonly upper: string; readonly work: string } | undefined;
  /** Further options of the overlay, each "name=value". */
  readonly options: readonly string[];
  /** What is seen of them, by its path, a character for each byte, links followed inside of them; "" is all. */
  readonly subpath: string;
  /** What that is: the target that is made when missing is the same. */
  readonly sourceIsDirectory: boolean;
}

export type Mount = BindMount | TmpfsMount | LayersMount;

/** A small file of a container's own, mounted over whatever its image has there. */
export interface OwnFile {
  /** Absolute path in the container; made when missing. No two end in the same name. */
  readonly target: string;
  readonly text: string;
  readonly readOnly: boolean;
  /** Instead of the text; nobody is shown it when the program is explained. */
  readonly secret?: { readonly data: Uint8Array; readonly uid: number; readonly gid: number; readonly mode: number };
}

/** A device node in /dev (or elsewhere), as in the OCI spec's linux.devices. */
export interface DeviceNode {
  readonly path: string;
  readonly type: "c" | "b" | "p";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From the container's /etc/passwd; "/" where it names none. */
  readonly home: string;
}

export interface Rlimit {
  readonly name: RlimitName;
  /** -1 is no limit. */
  readonly soft: number;
  readonly hard: number;
}

/** A process in a container, everything resolved: what `start` and `exec` share (OCI runtime-spec `process`). */
export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ResolvedUser;
  readonly terminal: boolean;
  /** [rows, columns] of the terminal at the start. */
  readonly consoleSize?: readonly [number, number];
  /** Keeps a pipe for stdin open; else it is /dev/null. */
  readonly openStdin: boolean;
  /** stdin ends when the first attached client's does. */
  readonly stdinOnce: boolean;
  readonly capabilities: CapabilitySets;
  /** The bytes of a classic BPF program (struct sock_filter[]), or none: unconfined. */
  readonly seccomp?: { readonly filter: Uint8Array; readonly flags: number };
  /** Layers, each of which has to allow. */
  readonly landlock?: readonly LandlockRuleset[];
  readonly noNewPrivileges: boolean;
  readonly rlimits: readonly Rlimit[];
  readonly umask: number;
  readonly oomScoreAdj?: number;
}

/** Users of a container's own: made for it, or those of the process `pid` (as seen by the machine). */
export interface ContainerUsers {
  readonly mappings: IdMappings;
  readonly pid?: number;
}

/** A container, everything resolved (a subset of the OCI runtime spec, and ours). */
export interface ContainerSpec {
  /** 64 hex digits. */
  readonly id: string;
  readonly process: ProcessSpec;
  readonly root: RootFilesystem;
  readonly hostname: string;
  readonly domainname: string;
  readonly namespaces: Namespaces;
  /** Absent: its users are the machine's. With users of its own, what it shares with others must be theirs, too. */
  readonly users?: ContainerUsers;
  /** In the order they are made; parents before children. */
  readonly mounts: readonly Mount[];
  /** Mounted after `mounts`. */
  readonly files?: readonly OwnFile[];
  readonly devices: readonly DeviceNode[];
  /** Paths hidden and paths made read-only, as the OCI spec's linux.maskedPaths and readonlyPaths. */
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** /sys and /sys/fs/cgroup may be written (--privileged). */
  readonly writableSys: boolean;
  /** Bytes of /dev/shm. */
  readonly shmSize: number;
  /** There is no /dev/shm. Who joins another's IPC namespace has that one's. */
  readonly withoutSharedMemory?: boolean;
  /** name → value, names as in sysctl(8): "net.ipv4.ip_forward". */
  readonly sysctls: Readonly<Record<string, string>>;
  /** PID 1 is Sampan's own init, which forwards signals and reaps. */
  readonly init: boolean;
  /** Path of its cgroup in every hierarchy, e.g. "/sampan/3f2a…". */
  readonly cgroupPath: string;
  readonly resources: Resources;
  /**
   * Connects its new network namespace: steps in the machine's namespaces, done before its program runs. Absent: it has
   * loopback only. What it answers adds steps after the end of the container's first process.
   */
  readonly connect?: (
    p: Program,
    network: Pick<NetworkNamespace, "namespace" | "rtnetlink">,
  ) => (() => void) | undefined;
}

/** Where the files of one supervised process are. */
export interface MonitorFiles {
  /** Unix socket of the monitor, at most 107 bytes. */
  readonly socket: string;
  /** Written when the process has ended, for a daemon that is not there; an exec has none: only its own daemon wants to know. */
  readonly exitFile?: string;
  /** undefined: output is only for who is attached. */
  readonly log?: { readonly path: string; readonly maxSize: number; readonly maxFiles: number };
}

export interface StartOptions {
  readonly files: MonitorFiles;
  /** Keep output back until `release()`: whoever is to see the first byte attaches before. */
  readonly hold: boolean;
}

/** How a process ended. */
export interface Exit {
  /** 0–255; 128 + signal for a signal's victim. */
  readonly code: number;
  readonly signal?: number;
  /** Unix time in ns. */
  readonly at: bigint;
  readonly oomKilled: boolean;
  /** The monitor was killed: nobody has removed the cgroup, or ended processes outside a PID namespace. */
  readonly monitorKilled?: true;
}

/** A process under a monitor: the live object of a container or an exec. */
export interface Running {
  /** Of the first process, as the machine sees it. */
  readonly pid: number;
  /** Never rejects. A monitor that was killed took the process with it: code 137. */
  readonly exited: Promise<Exit>;
  /** Docker's 8-byte frames, raw with a terminal. What is written goes to stdin; `end()` ends it. Comes paused: pipe or resume it. */
  attach(streams: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Socket>;
  resize(rows: number, columns: number): void;
  signal(number: number): void;
  /** Lets held-back output flow. */
  release(): void;
  /** Forgets the process without touching it. */
  detach(): void;
}

/** What `exec` joins: the namespaces and cgroup of a running container. */
export interface ExecTarget {
  readonly id: string;
  readonly pid: number;
  readonly cgroupPath: string;
  /** Namespaces that the container has of its own. */
  readonly namespaces: Namespaces;
  /** As `ContainerSpec.users`. */
  readonly users?: ContainerUsers;
}

/** Builds and executes the programs of containers. */
export interface Runtime {
  start(spec: ContainerSpec, options: StartOptions): Promise<Running>;
  /** A process of an earlier daemon: reconnects to its monitor, or reads how it ended. */
  reconnect(known: { id: string; pid: number; files: MonitorFiles }): Promise<Running>;
  exec(target: ExecTarget, process: ProcessSpec, options: StartOptions & { init?: boolean }): Promise<Running>;
  /**
   * "name", "uid", "name:group", "uid:gid" or "" by the container's own /etc/passwd and /etc/group: of a root file
   * system, or of a running container's. Throws `invalid` with dockerd's texts ("unable to find user x: no matching entries in passwd file").
   */
  resolveUser(
    where: RootFilesystem | { readonly pid: number },
    user: string,
    groupAdd: readonly string[],
  ): Promise<ResolvedUser>;
  /**
   * Rewrites one of a running container's own files: `edit` gets its text, answers the new one, or undefined to leave it.
   * "conflict" when there is no ordinary file any more.
   */
  rewriteFile(pid: number, path: string, edit: (text: string) => string | undefined): Promise<void>;
  /** The program that `start` would execute, for people. */
  explain(spec: ContainerSpec, options: StartOptions): { text: string; steps: ExplainedStep[] };
  /** Removes what a container that is not running has left in the cgroup hierarchies. */
  sweep(cgroupPath: string): Promise<void>;
  /** Lets the workers go that wait for starts. Containers stay. */
  close(): void;
}

/** One line of `run --explain`. */
export interface ExplainedStep {
  readonly concept: string;
  /** How many clones deep. */
  readonly depth: number;
  readonly note: string;
  readonly call: string;
}
