import type { Healthcheck } from "../../images/types.ts";
import type { Lint, SourceRange } from "./place.ts";

export type { Lint, Position, SourceRange } from "./place.ts";

/**
 * A Dockerfile as data. Everything a user wrote that may contain variables is a `Word` and stays unexpanded: which
 * variables exist is only known once the stages are put in order, so `expand.ts` is called by whoever builds the graph.
 */

/** A file as it was read; errors and lints show its lines. */
export interface SourceFile {
  readonly name: string;
  /** Without line ends. */
  readonly lines: readonly string[];
}

/** Text of a user before variables were expanded and quotes removed: `expandWord`, `expandWords`. */
export interface Word {
  readonly raw: string;
  readonly range: SourceRange;
}

/** A document below an instruction: `<<EOT`. */
export interface Heredoc {
  /** The delimiter, which is also the file's name where a heredoc is a file. */
  readonly name: string;
  /** With its last line end. With `<<-`, leading tabs are already gone. */
  readonly content: string;
  /** As it was written, tabs included. */
  readonly raw: string;
  /** False when the delimiter was quoted: no variables are expanded in `content`. */
  readonly expand: boolean;
  /** Whether `<<-` was written. */
  readonly stripTabs: boolean;
  /** The file descriptor before `<<`; a shell reads it, we do not. */
  readonly descriptor: number;
  /** The `<<EOT` itself. */
  readonly range: SourceRange;
}

/** What `RUN`, `CMD`, `ENTRYPOINT` and `HEALTHCHECK CMD` execute. */
export type Command =
  /** The JSON form: executed as it is. */
  | { readonly form: "exec"; readonly args: readonly string[] }
  /** Given to the stage's `SHELL`. `heredocs` belong to `RUN` only: `runScript` says what the shell gets. */
  | { readonly form: "shell"; readonly text: string; readonly heredocs: readonly Heredoc[] };

/** `KEY=value` of `ENV` and `LABEL`. */
export interface KeyValue {
  readonly key: Word;
  readonly value: Word;
  /** Written as `KEY value`. */
  readonly legacy: boolean;
}

/** One variable of an `ARG`. Without `value` it has no default. */
export interface ArgDefinition {
  readonly key: Word;
  readonly value: Word | undefined;
}

/** One `key=value` of a `--mount`. A key without a value (`ro`) has none. */
export interface MountField {
  /** In lower case, as written otherwise: `src`. */
  readonly key: string;
  readonly value: Word | undefined;
  readonly range: SourceRange;
}

/** A `--mount` as it was written; `resolveMount` expands and checks it. */
export interface MountFlag {
  readonly range: SourceRange;
  readonly fields: readonly MountField[];
}

interface BindMount {
  readonly type: "bind";
  readonly target: string;
  readonly source: string;
  readonly from: string | undefined;
  readonly readOnly: boolean;
}

/** Whose a file or directory is that is made to be mounted. */
interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface CacheMount extends Ownership {
  readonly type: "cache";
  readonly target: string;
  /** The target's clean path where no id was given. */
  readonly id: string;
  readonly sharing: "shared" | "private" | "locked";
  /** The stage, context or image that the cache begins with. */
  readonly from: string | undefined;
  readonly source: string;
  readonly readOnly: boolean;
}

export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  /** Bytes. */
  readonly size: number | undefined;
  readonly readOnly: boolean;
}

/** A file that is the client's, or a socket behind which something of the client's answers. */
export interface ClientMount extends Ownership {
  readonly id: string;
  /** Undefined: no file of a secret, `/run/buildkit/ssh_agent.N` for an agent's socket. */
  readonly target: string | undefined;
  readonly required: boolean;
}

interface SecretMount extends ClientMount {
  readonly type: "secret";
  /** The variable that gets it. */
  readonly env: string | undefined;
}

interface AgentMount extends ClientMount {
  readonly type: "ssh";
}

/** What `resolveMount` makes of a `--mount`. Absent paths mean what Docker documents as their default. */
export type RunMount = BindMount | CacheMount | TmpfsMount | SecretMount | AgentMount;

/** What every instruction has. */
export interface InstructionBase {
  /** From the keyword to the last character, continuation lines and heredocs included. */
  readonly range: SourceRange;
  /** The instruction on one line as written, heredocs not included: what progress and history show. */
  readonly original: string;
  /** The comment lines directly above, without `#`: descriptions, and `check=skip=…` for this instruction. */
  readonly comments: readonly string[];
}

export interface FromInstruction extends InstructionBase {
  readonly kind: "FROM";
  readonly base: Word;
  readonly platform: Word | undefined;
  /** In lower case, as Docker compares names. */
  readonly name: string | undefined;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: "ARG";
  readonly args: readonly ArgDefinition[];
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: "ENV";
  readonly pairs: readonly KeyValue[];
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: "LABEL";
  readonly pairs: readonly KeyValue[];
}

export interface RunInstruction extends InstructionBase {
  readonly kind: "RUN";
  readonly command: Command;
  readonly mounts: readonly MountFlag[];
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
}

/** What `COPY` and `ADD` take: a path (or for `ADD` a URL or repository), or a heredoc as a file. */
export type CopySource =
  | { readonly kind: "path"; readonly path: Word }
  | { readonly kind: "heredoc"; readonly heredoc: Heredoc };

interface CopyBase extends InstructionBase {
  readonly sources: readonly CopySource[];
  readonly destination: Word;
  readonly chown: Word | undefined;
  /** Octal or, with symbols (`u=rwX,go=rX`), changes. */
  readonly chmod: Word | undefined;
  readonly link: boolean;
  readonly exclude: readonly Word[];
}

export interface CopyInstruction extends CopyBase {
  readonly kind: "COPY";
  /** A stage's name or index, a named context, or an image. Variables are not expanded in it: Docker does not either. */
  readonly from: Word | undefined;
  readonly parents: boolean;
}

export interface AddInstruction extends CopyBase {
  readonly kind: "ADD";
  /** Undefined: a repository loses its `.git`. */
  readonly keepGitDir: boolean | undefined;
  readonly checksum: Word | undefined;
  /** Undefined: local archives are unpacked, downloaded ones are not. */
  readonly unpack: boolean | undefined;
}

export interface CmdInstruction extends InstructionBase {
  readonly kind: "CMD";
  readonly command: Command;
}

export interface EntrypointInstruction extends InstructionBase {
  readonly kind: "ENTRYPOINT";
  readonly command: Command;
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "WORKDIR";
  readonly path: Word;
}

export interface UserInstruction extends InstructionBase {
  readonly kind: "USER";
  readonly user: Word;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: "EXPOSE";
  /** Each may expand to several words (`expandWords`), each a port or range with an optional protocol. */
  readonly ports: readonly Word[];
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: "VOLUME";
  readonly paths: readonly Word[];
}

export interface StopSignalInstruction extends InstructionBase {
  readonly kind: "STOPSIGNAL";
  readonly signal: Word;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: "SHELL";
  readonly shell: readonly string[];
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "MAINTAINER";
  readonly name: string;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "ONBUILD";
  /** As it goes into the image's `OnBuild`; `parseOnbuild` parses it in the child's build. */
  readonly expression: string;
}

export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "HEALTHCHECK";
  /** As it goes into the image's configuration; durations in nanoseconds, what was not said is absent. */
  readonly healthcheck: Healthcheck;
}

/** What may stand in a stage after its `FROM`. */
export type Instruction =
  | AddInstruction
  | ArgInstruction
  | CmdInstruction
  | CopyInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | RunInstruction
  | ShellInstruction
  | StopSignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction;

/** A `FROM` and what follows it. */
export interface Stage {
  /** From 0; a stage can be named by it. */
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly Instruction[];
  /** The comment above `FROM … AS name` when it begins with that name: what `--call=targets` prints. */
  readonly description: string | undefined;
}

/** `# syntax=`, `# escape=`, `# check=` above the first instruction. */
export interface Directives {
  /** The frontend that the author wanted; the language is built in, so it is only shown. */
  readonly syntax: string | undefined;
  /** The character that continues lines and escapes in words. */
  readonly escape: "\\" | "`";
  readonly check: CheckOptions;
}

/** `# check=skip=RULE,RULE;error=true`. */
export interface CheckOptions {
  /** Rule names, or "all". */
  readonly skip: readonly string[];
  /** Rules that are only looked at when they are named here, or "all". */
  readonly experimental: readonly string[];
  /** A build with lints fails. */
  readonly error: boolean;
}

/** A parsed Dockerfile. */
export interface Dockerfile {
  readonly source: SourceFile;
  readonly directives: Directives;
  /** The `ARG`s before the first `FROM`, in order. */
  readonly globals: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  /** What was noticed while parsing; `lint` adds what needs variables, the context or base images. */
  readonly lints: readonly Lint[];
}
