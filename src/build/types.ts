import type { Platform } from "../images/types.ts";
import type { Digest } from "../storage/digest.ts";
import type { CacheSource, CacheTarget, RegistryCredentials } from "./exchange/types.ts";
import type { RunLimits } from "./host.ts";
import type { Entitlement } from "./plan/entitlements.ts";
import type { NamedContext } from "./plan/plan.ts";
import type { BuildEvent } from "./progress/types.ts";

export type { CacheSource, CacheTarget, LentStore, RegistryCredentials } from "./exchange/types.ts";
export type { RunLimits } from "./host.ts";
export type { Entitlement } from "./plan/entitlements.ts";
export type { NamedContext } from "./plan/plan.ts";
export type { BuildEvent } from "./progress/types.ts";

/** What is said about an image where it is stored (OCI annotations.md). */
export interface Annotation {
  readonly of: "manifest" | "manifest-descriptor" | "index";
  /** "linux/amd64"; undefined: all. */
  readonly platform: string | undefined;
  readonly key: string;
  readonly value: string;
}

/** Where the result of a build goes. */
export interface BuildOutput {
  /**
   * "image": the image store. "content": the same image or index, but in no store: it goes elsewhere. "tar": the files of the
   * result, as an archive; of several platforms a directory for each.
   */
  readonly type: "image" | "content" | "tar";
  /** Files of layers that are made have no later time than SOURCE_DATE_EPOCH. */
  readonly rewritesTimes: boolean;
  /** "invalid" for those of an index where there is none. */
  readonly annotations?: readonly Annotation[];
}

/** What a client sends that is in no URL and in no log. */
export interface BuildSettings {
  readonly contexts: Readonly<Record<string, NamedContext>>;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Sockets of ssh agents on this machine, by id. */
  readonly agents: ReadonlyMap<string, string>;
}

/** Ids that the mounts of a build's commands name. */
export interface WantedSettings {
  readonly secrets: readonly string[];
  readonly agents: readonly string[];
}

/** Where settings are in a context that brings them; it is no part of what is built. */
export const settingsFile = ".sampan-build.json";
/** The files of context NAME are below NAME in here. */
export const contextsDirectory = ".sampan-context";

/** A build, everything decided. */
export interface BuildRequest {
  /** The context's tar archive, plain or compressed; beside a remote context what else belongs to the build; undefined: none. */
  readonly context: AsyncIterable<Uint8Array> | undefined;
  /** A URL of a repository, a Dockerfile or a tar archive. */
  readonly remote: string | undefined;
  /** The Dockerfile's path in the context. */
  readonly dockerfile: string;
  /** How messages call it when its path is a made-up one. */
  readonly dockerfileName: string | undefined;
  /** Names for the image. */
  readonly tags: readonly string[];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  /** None: this machine's own. Several make an index. */
  readonly platforms: readonly Platform[];
  /** Names of stages whose earlier results are not used, or whether none are. */
  readonly noCache: boolean | readonly string[];
  /** Where earlier results are besides those that are here. */
  readonly cacheFrom: readonly CacheSource[];
  /** Where this build's results go besides. */
  readonly cacheTo: readonly CacheTarget[];
  /** Look for newer base images even when they are here. */
  readonly pull: boolean;
  readonly network: string;
  /** What commands of the Dockerfile may have that reaches the machine. */
  readonly allow: ReadonlySet<Entitlement>;
  readonly limits: RunLimits;
  readonly output: BuildOutput;
  /** A function reads them from the context's file `settingsFile`. */
  readonly settings: BuildSettings | ((text: string) => BuildSettings);
  /** What is wanted: a build, or something about the Dockerfile. */
  readonly call: "build" | "check" | "outline" | "targets";
  /** Credentials by registry. */
  readonly auth: RegistryCredentials;
  /**
   * Asked for the archive of the contexts that turn out to be needed ("": the build context, those of a name below
   * `contextsDirectory`), where `context` is only what else belongs to the build.
   */
  lendFiles?(contexts: ReadonlySet<string>): AsyncIterable<Uint8Array>;
  /** Asked for what a client keeps until it is known what the commands take. */
  lend?(wanted: WantedSettings): Promise<Pick<BuildSettings, "secrets" | "agents">>;
  /** Told of everything that happens, in order; `plan` comes before the first step. */
  emit(event: BuildEvent): void;
  /** What the output of commands waits for, when it is told faster than it is read. */
  ready(): Promise<void> | undefined;
  /** The instructions that will be carried out, in the order of the Dockerfile. */
  planned(steps: readonly PlannedStep[]): void;
  readonly signal: AbortSignal;
}

export interface PlannedStep {
  /** Of the step's events; undefined: it only changes the configuration. */
  readonly id: string | undefined;
  /** As written. */
  readonly instruction: string;
}

/** Bytes that come from what has to be given back. */
export interface OutputStream extends AsyncIterable<Uint8Array>, AsyncDisposable {}

/** An image or index that is in no store, with everything that it leads to. It is there until it is disposed of. */
export interface OutputContent extends AsyncDisposable {
  readonly root: { readonly mediaType: string; readonly digest: Digest; readonly size: number };
  /** What is led to comes before what leads to it; the root is the last. Sizes are in bytes. */
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  read(digest: Digest): AsyncIterable<Uint8Array>;
  /** An OCI layout and docker-archive in one, with the names of the build. */
  archive(): AsyncIterable<Uint8Array>;
}

export interface BuildResult {
  /** The image's id, of several platforms the index's digest; undefined for an output that stores none. */
  readonly id: string | undefined;
  /** Of the manifest, of several platforms of the index. */
  readonly digest: string | undefined;
  readonly tags: readonly string[];
  /** The output, where it is a stream. It must be disposed of, read or not. */
  readonly stream: OutputStream | undefined;
  /** The output that is in no store. It must be disposed of. */
  readonly content: OutputContent | undefined;
  /** What was asked about the Dockerfile. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
}

/** An entry of the build cache, as `docker system df -v` shows it. Times are RFC 3339, "" for never. */
export interface CacheEntry {
  readonly id: string;
  readonly parents: readonly string[];
  readonly type: "regular" | "exec.cachemount";
  readonly description: string;
  readonly inUse: boolean;
  /** An image stands on it, too: removing the entry frees nothing. */
  readonly shared: boolean;
  /** Bytes. */
  readonly size: number;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly usageCount: number;
}

export interface PruneRequest {
  /** Those that images stand on, too. */
  readonly all: boolean;
  /** Bytes that may stay. */
  readonly keepStorage: number;
  /** Only what fulfils it. */
  matches(entry: CacheEntry): boolean;
}

export interface PruneResult {
  readonly deleted: readonly string[];
  /** Bytes. */
  readonly reclaimed: number;
}

/** Builds images of Dockerfiles. */
export interface Builder {
  /** Where what is only there during a build may lie; a daemon that starts empties it. */
  readonly scratch: string;
  /** Errors of kind "invalid" for a Dockerfile that is wrong and a command that fails. */
  build(request: BuildRequest): Promise<BuildResult>;
  /** The cache, what was used last first. */
  usage(): Promise<CacheEntry[]>;
  prune(request: PruneRequest): Promise<PruneResult>;
}
