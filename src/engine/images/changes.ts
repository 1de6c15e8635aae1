import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Healthcheck, ImageDefaults } from "../../images/types.ts";
import { parseSignal } from "../../kernel/signals.ts";
import { healthcheckOf } from "./healthcheck.ts";
import { expand, jsonWords, pairs, words } from "./words.ts";

type Change = (defaults: ImageDefaults, rest: string) => ImageDefaults;

const shell = (defaults: ImageDefaults, line: string): readonly string[] =>
  jsonWords(line) ?? [...(defaults.Shell ?? ["/bin/sh", "-c"]), line];

/** The Dockerfile instructions that `docker commit --change` and `docker import --change` take. */
const changes: Readonly<Record<string, Change>> = {
  cmd: (defaults, rest) => ({ ...defaults, Cmd: shell(defaults, rest) }),
  entrypoint: (defaults, rest) => ({ ...defaults, Entrypoint: shell(defaults, rest) }),
  env: (defaults, rest) => {
    const set = pairs(rest, "ENV").map(([name, value]) => [name, expand(value, defaults.Env)] as const);
    const names = new Set(set.map(([name]) => name));
    const kept = (defaults.Env ?? []).filter((text) => !names.has(text.split("=", 1)[0] ?? ""));
    return { ...defaults, Env: [...kept, ...set.map(([name, value]) => `${name}=${value}`)] };
  },
  expose: (defaults, rest) => {
    const ports = words(expand(rest, defaults.Env)).flatMap(portsOf);
    const exposed = Object.fromEntries(ports.map((port) => [port, {}]));
    return { ...defaults, ExposedPorts: { ...defaults.ExposedPorts, ...exposed } };
  },
  healthcheck: (defaults, rest): ImageDefaults => {
    const Healthcheck: Healthcheck = healthcheckOf(rest, (line) => jsonWords(line));
    return { ...defaults, Healthcheck };
  },
  label: (defaults, rest) => {
    const labels = pairs(rest, "LABEL").map(([name, value]) => [name, expand(value, defaults.Env)]);
    return { ...defaults, Labels: { ...defaults.Labels, ...Object.fromEntries(labels) } };
  },
  onbuild: (defaults, rest) => ({ ...defaults, OnBuild: [...(defaults.OnBuild ?? []), rest] }),
  stopsignal: (defaults, rest) => {
    const StopSignal = expand(rest, defaults.Env);
    parseSignal(StopSignal);
    return { ...defaults, StopSignal };
  },
  user: (defaults, rest) => ({ ...defaults, User: expand(rest, defaults.Env) }),
  volume: (defaults, rest) => {
    const paths = jsonWords(rest) ?? words(expand(rest, defaults.Env));
    return { ...defaults, Volumes: { ...defaults.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } };
  },
  workdir: (defaults, rest) => ({
    ...defaults,
    WorkingDir: posix.resolve("/", defaults.WorkingDir ?? "", expand(rest, defaults.Env)),
  }),
};

/** Applies Dockerfile instructions to what an image says of its containers. Errors of kind "invalid", in dockerd's words. */
export function applyChanges(defaults: ImageDefaults, lines: readonly string[]): ImageDefaults {
  let changed = defaults;
  let commandGiven = false;
  for (const line of lines.flatMap(logicalLines)) {
    const [, word = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(line) ?? [];
    const name = word.toLowerCase();
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    if (change === undefined) throw new SampanError("invalid", `${word} is not a valid change command`);
    if (rest === "") throw new SampanError("invalid", `${word.toUpperCase()} requires at least one argument`);
    changed = change(changed, rest.trimEnd());
    // A command was for the old entrypoint.
    if (name === "entrypoint" && !commandGiven) changed = { ...changed, Cmd: undefined };
    if (name === "cmd") commandGiven = true;
  }
  return changed;
}

/** Lines without comments and empty ones, those that end in a backslash put together. */
function logicalLines(text: string): string[] {
  return text
    .replace(/\\[ \t]*\r?\n/g, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** "80", "80/udp", "8000-8002/tcp" as port specifications. */
function portsOf(text: string): string[] {
  const [, from = "", to = from, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === "" || first > 65535 || last > 65535 || last < first) {
    throw new SampanError("invalid", `invalid containerPort: ${text}`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`);
}
