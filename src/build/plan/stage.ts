import { redacted } from "../../images/urls.ts";
import { DockerfileError } from "../dockerfile/error.ts";
import { expandHeredoc, expandWord } from "../dockerfile/expand.ts";
import { resolveMount } from "../dockerfile/resolve-mount.ts";
import { runScript, type Script } from "../dockerfile/run-script.ts";
import type { StageScope } from "../dockerfile/scope.ts";
import type {
  AddInstruction,
  CopyInstruction,
  Instruction,
  MountFlag,
  RunInstruction,
  RunMount,
} from "../dockerfile/types.ts";
import { parseGitReference } from "../git/reference.ts";
import { absolute, type Described, describe, withVariables } from "./config.ts";
import type { GraphBuilder, StageState } from "./graph.ts";
import { copyText, layerHistory, metaHistory, runText } from "./history.ts";
import type { CopyVertex, PlannedHistory, PlannedMount, PlannedSource, VertexId } from "./types.ts";

/** What a stage asks its surroundings. */
export interface StageContext {
  readonly graph: GraphBuilder;
  readonly scope: StageScope;
  /** The vertex that `--from` names: a stage, a context, or an image. */
  from(name: string): VertexId;
  readonly context: VertexId;
  readonly proxies: readonly string[];
  step(instruction: Instruction, vertex: VertexId | undefined): void;
}

/** Carries instructions out on what a stage is so far: the graph grows, and the configuration changes. */
export class StagePlanner {
  readonly #context: StageContext;
  #vertex: VertexId;
  #described: Described;
  #history: PlannedHistory[];
  readonly #start: StageState;

  constructor(start: StageState, context: StageContext) {
    this.#start = start;
    this.#context = context;
    this.#vertex = start.vertex;
    this.#described = { config: start.config, author: start.author, commandSet: false };
    this.#history = [...start.history];
  }

  get state(): StageState {
    const { config, author } = this.#described;
    return { ...this.#start, vertex: this.#vertex, config, author, history: this.#history };
  }

  /** Adds one instruction. */
  add(instruction: Instruction): void {
    const { scope, step } = this.#context;
    switch (instruction.kind) {
      case "RUN":
        this.#run(instruction);
        return;
      case "COPY":
      case "ADD":
        this.#copy(instruction);
        return;
      case "WORKDIR":
        this.#workdir(instruction, expandWord(instruction.path, scope));
        return;
      case "ARG":
        this.#history.push(metaHistory(`ARG ${scope.arg(instruction).join(" ")}`));
        break;
      case "ENV": {
        const pairs = scope.env(instruction);
        const { config } = this.#described;
        this.#described = { ...this.#described, config: { ...config, Env: withVariables(config.Env ?? [], pairs) } };
        this.#history.push(metaHistory(`ENV ${pairs.map((pair) => pair.join("=")).join(" ")}`));
        break;
      }
      default: {
        const { after, history } = describe(this.#described, instruction, scope);
        this.#described = after;
        if (history !== undefined) this.#history.push(metaHistory(history));
      }
    }
    step(instruction, undefined);
  }

  #made(instruction: Instruction, vertex: VertexId, history: string): void {
    this.#vertex = vertex;
    this.#history.push(layerHistory(history, vertex));
    this.#context.step(instruction, vertex);
  }

  #run(instruction: RunInstruction): void {
    const { scope, graph, proxies } = this.#context;
    const { config } = this.#described;
    const script = runScript(instruction.command);
    const argv = runWords(script, config.Shell);
    const vertex = graph.add({
      kind: "run",
      parent: this.#vertex,
      platform: this.#start.platform,
      argv,
      script: script.kind === "file" ? { path: script.path, content: script.content } : undefined,
      env: [...scope.variables].map((pair) => pair.join("=")),
      hiddenEnv: proxies,
      cwd: config.WorkingDir || "/",
      user: config.User ?? "",
      mounts: instruction.mounts.map((flag) => this.#mount(flag)),
      network: instruction.network,
      security: instruction.security,
    });
    this.#made(instruction, vertex, runText(argv, [...scope.arguments]));
  }

  #mount(flag: MountFlag): PlannedMount {
    const { scope } = this.#context;
    const { config } = this.#described;
    const mount: RunMount = resolveMount(flag, scope);
    const at = (path: string) => {
      const target = absolute(config, path);
      if (target !== "/") return target;
      throw new DockerfileError('invalid mount target "/"', scope.source, flag.range);
    };
    switch (mount.type) {
      case "bind": {
        const from = mount.from === undefined ? this.#context.context : this.#context.from(mount.from);
        return { type: "bind", target: at(mount.target), from, source: mount.source, readOnly: mount.readOnly };
      }
      case "cache": {
        const { type, id, sharing, mode, uid, gid, readOnly, source } = mount;
        const begin = mount.from === undefined ? undefined : { from: this.#context.from(mount.from), source };
        return { type, target: at(mount.target), id, sharing, begin, mode, uid, gid, readOnly };
      }
      case "tmpfs":
        return { ...mount, target: at(mount.target) };
      case "secret":
        return { ...mount, target: mount.target === undefined ? undefined : at(mount.target) };
      case "ssh":
        return { ...mount, env: undefined, target: mount.target };
    }
  }

  #copy(instruction: CopyInstruction | AddInstruction): void {
    const { scope, graph } = this.#context;
    const isCopy = instruction.kind === "COPY";
    const from = isCopy && instruction.from !== undefined ? instruction.from : undefined;
    const origin = from === undefined ? this.#context.context : this.#context.from(from.raw);
    const sources = instruction.sources.map((source): PlannedSource => {
      if (source.kind === "heredoc") {
        const { heredoc } = source;
        return { kind: "inline", name: heredoc.name, content: expandHeredoc(heredoc, scope) };
      }
      const path = expandWord(source.path, scope);
      return isCopy ? { kind: "path", from: origin, path } : addSource(path, origin);
    });
    const destination = expandWord(instruction.destination, scope);
    const copy: CopyVertex = {
      kind: "copy",
      parent: this.#vertex,
      sources,
      destination: absolute(this.#described.config, destination),
      chown: instruction.chown && (expandWord(instruction.chown, scope) || undefined),
      chmod: instruction.chmod && (expandWord(instruction.chmod, scope) || undefined),
      link: instruction.link,
      parents: isCopy && instruction.parents,
      exclude: instruction.exclude.map((word) => expandWord(word, scope)),
      unpack: isCopy ? false : (instruction.unpack ?? "local"),
      checksum: isCopy ? undefined : instruction.checksum && expandWord(instruction.checksum, scope),
      keepGitDir: !isCopy && instruction.keepGitDir === true,
    };
    const names = sources.map((source) => (source.kind === "inline" ? `<<${source.name}` : writtenOf(source)));
    this.#made(instruction, graph.add(copy), copyText(instruction.kind, { sources: names, destination }, copy));
  }

  #workdir(instruction: Instruction, written: string): void {
    const { config } = this.#described;
    const resolved = absolute(config, written);
    const WorkingDir = resolved.length > 1 ? resolved.replace(/\/$/, "") : resolved;
    this.#described = { ...this.#described, config: { ...config, WorkingDir } };
    const text = `WORKDIR ${WorkingDir}`;
    if (WorkingDir === "/") {
      this.#history.push(metaHistory(text));
      this.#context.step(instruction, undefined);
      return;
    }
    const user = config.User ?? "";
    const vertex = this.#context.graph.add({ kind: "workdir", parent: this.#vertex, path: WorkingDir, user });
    this.#made(instruction, vertex, text);
  }
}

function runWords(script: Script, shell: readonly string[] = ["/bin/sh", "-c"]): readonly string[] {
  if (script.kind === "exec") return script.args;
  return [...shell, script.kind === "file" ? script.path : script.text];
}

function writtenOf(source: Exclude<PlannedSource, { kind: "inline" }>): string {
  return source.kind === "path" ? source.path : redacted(source.url);
}

/** What ADD takes besides files: https://… and repositories. */
function addSource(path: string, from: VertexId): PlannedSource {
  const reference = parseGitReference(path);
  if (reference !== undefined) return { kind: "git", url: path, reference };
  if (/^https?:\/\//.test(path)) return { kind: "http", url: path };
  return { kind: "path", from, path };
}
