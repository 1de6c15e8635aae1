import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Healthcheck, ImageDefaults } from "../../images/types.ts";
import { parseSignal } from "../../kernel/signals.ts";
import { type Expansion, expandWord, expandWords } from "../dockerfile/expand.ts";
import { expandPairs } from "../dockerfile/scope.ts";
import type { Command, Instruction } from "../dockerfile/types.ts";
import { exposedPorts } from "./ports.ts";

/** An instruction that changes only what the image says of its containers. */
export type MetaInstruction = Exclude<Instruction, { kind: "RUN" | "COPY" | "ADD" | "WORKDIR" | "ARG" | "ENV" }>;

export interface Described {
  readonly config: ImageDefaults;
  readonly author: string | undefined;
  /** Whether a CMD of this stage stands before: an ENTRYPOINT leaves it then. */
  readonly commandSet: boolean;
}

const usualShell = ["/bin/sh", "-c"];

/** The words that are executed: those of the exec form, or the stage's shell with the text. */
export function commandWords(command: Command, config: ImageDefaults): readonly string[] {
  return command.form === "exec" ? command.args : [...(config.Shell ?? usualShell), command.text];
}

/** An empty list is none. */
function some(words: readonly string[]): readonly string[] | undefined {
  return words.length > 0 ? words : undefined;
}

/** What an image says after an instruction, and what its history says of that; undefined: nothing. */
export function describe(
  before: Described,
  instruction: MetaInstruction,
  scope: Expansion,
): { readonly after: Described; readonly history: string | undefined } {
  const { config } = before;
  const changed = (change: Partial<ImageDefaults>, history: string | undefined, more: Partial<Described> = {}) => {
    return { after: { ...before, ...more, config: { ...config, ...change } }, history };
  };
  switch (instruction.kind) {
    case "CMD": {
      const words = commandWords(instruction.command, config);
      // Meant for Windows, set by every builder of Docker's.
      const ArgsEscaped = true;
      return changed({ Cmd: some(words), ArgsEscaped }, `CMD ${quotedList(words)}`, { commandSet: true });
    }
    case "ENTRYPOINT": {
      const words = commandWords(instruction.command, config);
      const Cmd = before.commandSet ? config.Cmd : undefined;
      return changed({ Entrypoint: some(words), Cmd }, `ENTRYPOINT ${quotedList(words)}`);
    }
    case "LABEL": {
      const pairs = expandPairs(instruction.pairs, scope);
      const text = pairs.map(([key, value]) => `${key}=${value}`).join(" ");
      return changed({ Labels: { ...config.Labels, ...Object.fromEntries(pairs) } }, `LABEL ${text}`);
    }
    case "MAINTAINER":
      return changed({}, `MAINTAINER ${instruction.name}`, { author: instruction.name });
    case "EXPOSE": {
      const ports = exposedPorts(instruction.ports.flatMap((word) => expandWords(word, scope)));
      const added = Object.fromEntries(ports.map((port) => [port, {}]));
      return changed({ ExposedPorts: { ...config.ExposedPorts, ...added } }, `EXPOSE ${goList(ports)}`);
    }
    case "USER": {
      const User = expandWord(instruction.user, scope);
      return changed({ User }, `USER ${User}`);
    }
    case "VOLUME": {
      const paths = instruction.paths.map((word) => expandWord(word, scope));
      if (paths.some((path) => path === ""))
        throw new SampanError("invalid", "VOLUME specified can not be an empty string");
      const added = Object.fromEntries(paths.map((path) => [path, {}]));
      return changed({ Volumes: { ...config.Volumes, ...added } }, `VOLUME ${goList(paths)}`);
    }
    case "STOPSIGNAL": {
      const StopSignal = expandWord(instruction.signal, scope);
      parseSignal(StopSignal);
      return changed({ StopSignal }, `STOPSIGNAL ${StopSignal}`);
    }
    case "SHELL":
      return changed({ Shell: instruction.shell }, `SHELL ${goList(instruction.shell)}`);
    case "ONBUILD":
      return changed({ OnBuild: [...(config.OnBuild ?? []), instruction.expression] }, undefined);
    case "HEALTHCHECK": {
      const Healthcheck = instruction.healthcheck;
      return changed({ Healthcheck }, `HEALTHCHECK ${goHealthcheck(Healthcheck)}`);
    }
  }
}

/** ENV: variables set in place, or added. */
export function withVariables(env: readonly string[], pairs: readonly (readonly [string, string])[]): string[] {
  const all = new Map(env.map((text) => [text.split("=", 1)[0] ?? "", text]));
  for (const [key, value] of pairs) all.set(key, `${key}=${value}`);
  return [...all.values()];
}

/** Where a WORKDIR, or a destination, leads from the working directory so far. A "/" at the end stays. */
export function absolute(config: ImageDefaults, path: string): string {
  const resolved = posix.resolve("/", config.WorkingDir ?? "", path);
  const directory = path === "" || path === "." || path.endsWith("/") || path.endsWith("/.");
  return directory && resolved !== "/" ? `${resolved}/` : resolved;
}

/** As Go's %q prints a slice of strings. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;
}

/** As Go's %v prints one. */
function goList(words: readonly string[]): string {
  return `[${words.join(" ")}]`;
}

/** As Go's %q prints the struct: what BuildKit writes. */
function goHealthcheck({ Test = [], ...more }: Healthcheck): string {
  const times = [more.Interval, more.Timeout, more.StartPeriod, more.StartInterval].map(
    (ns) => `"${goDuration(ns ?? 0)}"`,
  );
  const retries = more.Retries ?? 0;
  const character =
    retries < 32 ? `'\\x${retries.toString(16).padStart(2, "0")}'` : `'${String.fromCodePoint(retries)}'`;
  return `&{${quotedList(Test)} ${times.join(" ")} ${character}}`;
}

/** As Go's time.Duration prints itself; nanoseconds. */
function goDuration(ns: number): string {
  if (ns === 0) return "0s";
  if (ns < 1e9) return ns < 1e6 ? `${ns / 1e3}µs` : `${ns / 1e6}ms`;
  const seconds = (ns / 1e9) % 60;
  const minutes = Math.floor(ns / 60e9) % 60;
  const hours = Math.floor(ns / 3600e9);
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds}s`;
}
