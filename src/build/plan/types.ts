import type { HistoryEntry, ImageDefaults, Platform } from "../../images/types.ts";
import type { CacheMount, ClientMount, SourceFile, SourceRange, TmpfsMount } from "../dockerfile/types.ts";
import type { GitReference } from "../git/reference.ts";

/** A place in `Plan.vertices`. Inputs come before those that need them. */
export type VertexId = number;

/** Nothing: what `FROM scratch` begins with. */
export interface ScratchVertex {
  readonly kind: "scratch";
}

/** The file system of an image, by the name it was written with. */
export interface ImageVertex {
  readonly kind: "image";
  readonly reference: string;
  readonly platform: Platform;
  /** The stage that may have been meant, where `--from` names none. */
  readonly near: string | undefined;
}

/** Files that a client has sent: the build context (""), or one of a name (`--build-context`). */
export interface ContextVertex {
  readonly kind: "context";
  readonly name: string;
}

/** A directory or file of another vertex that a RUN sees. */
interface MountFrom {
  readonly from: VertexId;
  readonly source: string;
}

/** `RUN --mount`, everything expanded. */
export type PlannedMount =
  | ({ readonly type: "bind"; readonly target: string; readonly readOnly: boolean } & MountFrom)
  | PlannedCache
  | TmpfsMount
  | PlannedClientMount;

interface PlannedCache extends Omit<CacheMount, "from" | "source"> {
  /** What an empty cache begins with. */
  readonly begin: MountFrom | undefined;
}

export interface PlannedClientMount extends ClientMount {
  readonly type: "secret" | "ssh";
  /** The variable that gets a secret. */
  readonly env: string | undefined;
}

/** A process in a container of the parent's file system; its result is what it has changed there. */
export interface RunVertex {
  readonly kind: "run";
  readonly parent: VertexId;
  /** What its programs are for. */
  readonly platform: Platform;
  readonly argv: readonly string[];
  /** A heredoc that begins with "#!": it is executed as a file. */
  readonly script: { readonly path: string; readonly content: string } | undefined;
  readonly env: readonly string[];
  /** Variables that change nothing of the result: proxies. */
  readonly hiddenEnv: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly mounts: readonly PlannedMount[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
}

export type PlannedSource =
  /** Paths of another vertex, with wildcards. */
  | { readonly kind: "path"; readonly from: VertexId; readonly path: string }
  | { readonly kind: "inline"; readonly name: string; readonly content: string }
  | { readonly kind: "http"; readonly url: string }
  | { readonly kind: "git"; readonly url: string; readonly reference: GitReference };

/** COPY and ADD: the parent's file system with files of others in it. */
export interface CopyVertex {
  readonly kind: "copy";
  readonly parent: VertexId;
  readonly sources: readonly PlannedSource[];
  /** Absolute; a "/" at its end says that it is a directory. */
  readonly destination: string;
  /** "user[:group]", names by the parent's files. */
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** Whether archives are unpacked; "local": only those that were not downloaded. */
  readonly unpack: boolean | "local";
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean;
}

/** A directory is there. */
export interface WorkdirVertex {
  readonly kind: "workdir";
  readonly parent: VertexId;
  readonly path: string;
  /** "user[:group]" that a new directory belongs to; "" is root. */
  readonly user: string;
}

export type Vertex = ScratchVertex | ImageVertex | ContextVertex | RunVertex | CopyVertex | WorkdirVertex;

/** An instruction as progress shows it. */
export interface Step {
  /** "[build 2/5] RUN make" */
  readonly name: string;
  /** The instruction alone. */
  readonly instruction: string;
  /** The name of its stage, or its number. */
  readonly stage: string;
  /** What carries it out; undefined: it only changes the configuration. */
  readonly vertex: VertexId | undefined;
  /** Where it is in the Dockerfile. */
  readonly range: SourceRange;
}

/** An entry of the image's history. Those of layers get their time when the layer is made. */
export interface PlannedHistory extends HistoryEntry {
  readonly vertex?: VertexId;
}

/** What a build makes for one platform. */
export interface PlannedResult {
  /** The vertex whose file system it is. */
  readonly vertex: VertexId;
  readonly config: ImageDefaults;
  readonly author: string | undefined;
  /** Behind that of the base image. */
  readonly history: readonly PlannedHistory[];
  /** The image that its first layers are; undefined: none. */
  readonly base: BaseImage | undefined;
  /** What its image says that it is for: the platform of its last stage. */
  readonly platform: Platform;
  /** What was asked for. */
  readonly target: Platform;
}

/** A build as data. */
export interface Plan {
  readonly vertices: readonly Vertex[];
  /** Of all stages that are needed, in the order of the Dockerfile. */
  readonly steps: readonly Step[];
  /** One for every platform, in the order they were asked for. */
  readonly results: readonly PlannedResult[];
  /** The Dockerfile. */
  readonly source: SourceFile;
}

/** What the plan must know of an image that a stage begins with. */
export interface BaseImage {
  readonly reference: string;
  readonly platform: Platform;
  readonly config: ImageDefaults;
  readonly author: string | undefined;
  readonly history: readonly HistoryEntry[];
}

/** An image that a plan cannot be made without. */
export interface NeededImage {
  readonly reference: string;
  readonly platform: Platform;
  /** The FROM that names it first. */
  readonly range: SourceRange;
}
