import type { Resources } from "../../cgroups/types.ts";
import type { FsOptions } from "../mounting.ts";
import type { TimeOffsets } from "../time-namespace.ts";
import type { DeviceNode, ProcessSpec, Propagation } from "../types.ts";
import type { IdMappings } from "../user-namespace.ts";
import type { ProcessAttributes } from "./attributes.ts";
import type { IdMap } from "./idmap.ts";
import type { Label } from "./labels.ts";
import type { NamespaceKind } from "./namespace-kinds.ts";
import type { ListenerSpec } from "./seccomp-listener.ts";
import type { StreamOptions } from "./streams.ts";

/** A namespace of a bundle's container: made for it, the caller's own, or the one behind a path. */
export type BundleNamespace = "new" | "host" | { readonly path: string };

/** Besides the mount namespace (`BundleContainer.mountNamespace`). */
export type BundleNamespaces = Readonly<Record<NamespaceKind, BundleNamespace>>;

/** Attributes of a mount (MOUNT_ATTR_*, mount_setattr(2)): what is set and cleared, of it alone and with all below. */
export interface MountAttributes {
  readonly set: number;
  readonly clear: number;
  readonly recursiveSet: number;
  readonly recursiveClear: number;
}

interface MountAt {
  /** Absolute path in the container; resolved inside it, made when missing. */
  readonly target: string;
  readonly attributes: MountAttributes;
  readonly propagation: readonly Propagation[];
}

/** A new file system. */
export interface FileSystem extends MountAt {
  readonly kind: "file-system";
  readonly type: string;
  readonly source: string;
  readonly options: FsOptions;
  /** It begins with what the image has in its place. */
  readonly copyUp?: boolean;
}

/** Something that the machine has already. */
export interface BindOfMachine extends MountAt {
  readonly kind: "bind";
  /** Absolute path on the machine. */
  readonly source: string;
  readonly sourceIsDirectory: boolean;
  readonly idMap?: IdMap;
  readonly recursive: boolean;
}

/** The container's own cgroups. */
export interface CgroupsMount extends MountAt {
  readonly kind: "cgroups";
}

/** A mount that is there already gets other attributes. */
export interface Remount extends MountAt {
  readonly kind: "remount";
}

export type BundleMount = FileSystem | BindOfMachine | CgroupsMount | Remount;

/** A program that runs at one moment of a container's life, the container's state on its standard input. */
export interface Hook {
  /** Absolute. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Milliseconds; undefined is no limit. */
  readonly timeout?: number;
}

/** The hooks that run in the container's namespaces, so that a program has to start them. */
export interface InnerHooks {
  readonly createContainer: readonly Hook[];
  readonly startContainer: readonly Hook[];
  /** The state's JSON before and after the process id, which only the kernel knows as yet. */
  readonly state: (status: "creating" | "created") => readonly [before: string, after: string];
}

/** A process of a bundle: what the engine's processes are, and what only config.json asks for. */
export interface BundleProcess extends ProcessSpec {
  readonly attributes: ProcessAttributes;
  readonly labels: readonly Label[];
  /** Who is asked by its filter. */
  readonly listener?: ListenerSpec;
}

/** A container as a bundle's config.json describes it, everything resolved. */
export interface BundleContainer {
  readonly id: string;
  readonly process: BundleProcess;
  readonly root: {
    /** Absolute path on the machine. */
    readonly directory: string;
    readonly readOnly: boolean;
    /** Of the container's "/" once it is in place. */
    readonly propagation: Propagation;
    /** Of a root that is shared: where what it lies in is mounted, which pivot_root(2) does not take while that is shared, too. */
    readonly sharedWithin?: string;
  };
  readonly hostname: string;
  readonly domainname: string;
  readonly namespaces: BundleNamespaces;
  /** The path of a mount namespace that becomes the container's, in place of a new one; paths of mounts are resolved in it. */
  readonly mountNamespace?: string;
  /** Of a new user namespace. */
  readonly mappings: IdMappings;
  /** Of a new time namespace. */
  readonly timeOffsets: TimeOffsets;
  /** In the order they are made. */
  readonly mounts: readonly BundleMount[];
  readonly devices: readonly DeviceNode[];
  /** /dev is the container's own, so that the links and the console belong there. */
  readonly ownDev: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** name → value: "net.ipv4.ip_forward". */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly cgroupPath: string;
  readonly resources: Resources;
  readonly hooks: InnerHooks;
  /** The session keyring is the container's own. */
  readonly newKeyring: boolean;
  readonly pivot: boolean;
}

/** What stands around a create: where it waits, and who speaks to it. */
export interface CreateOptions extends StreamOptions {
  /** A directory of the container's own, where the two pipes are made that `start` finds it by. */
  readonly directory: string;
  /** In the worker: where the program replies and reads. */
  readonly connection: number;
  /** The program reports the process and waits for a byte once the mounts are there: hooks run in between. */
  readonly pause: boolean;
  /** "leave": the process is left to whoever reaps orphans. "wait": the program ends with the process's status. */
  readonly afterwards: "leave" | "wait";
}
