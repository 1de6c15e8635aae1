import type { Command } from "../command.ts";
import type { Option } from "../options.ts";

/** What a word of a command line may be: one of some names, or something of the daemon's or of the machine's. */
export type Kind = "container" | "running" | "stopped" | "image" | "network" | "volume" | "file" | readonly string[];

const placeholders: Readonly<Record<string, Kind>> = {
  CONTAINER: "container",
  IMAGE: "image",
  SOURCE_IMAGE: "image",
  "REPOSITORY[:TAG]": "image",
  NETWORK: "network",
  VOLUME: "volume",
  "NAME[:TAG|@DIGEST]": "image",
  SHELL: ["bash", "fish", "zsh"],
};

/** Commands whose containers have to run, or must not. */
const states: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    ["attach", "exec", "kill", "pause", "port", "stop", "top", "unpause"].map((name) => [name, "running"] as const),
  ),
  start: "stopped",
};

const flagKinds: Readonly<Record<string, Kind>> = {
  network: "network",
  net: "network",
  "volumes-from": "container",
  volume: "volume",
  "env-file": "file",
  "label-file": "file",
  cidfile: "file",
  "security-opt": ["landlock=", "no-new-privileges", "seccomp=", "seccomp=unconfined", "systempaths=unconfined"],
  "time-offset": ["boottime=", "monotonic="],
  input: "file",
  output: "file",
};

/** What the nth argument of a command is, by its usage line; the last one may be repeated there. */
export function argumentKind(name: string, { usage }: Command, index: number): Kind | undefined {
  const wanted = usage.split(" ").filter((word) => word !== "[OPTIONS]" && word !== "|");
  const isRepeated = wanted.at(-1)?.includes("...") ?? false;
  const word = wanted[index] ?? (isRepeated ? wanted.at(-1) : undefined);
  if (word === undefined) return undefined;
  const bare = word.replace(/^\[(.*)\]$/, "$1").replace(/\.\.\.$/, "");
  const kind = placeholders[bare];
  return kind === "container" ? (states[name] ?? kind) : kind;
}

/** What the value of a flag is: by its name, or one of those that its help counts up, as in `(host|private)`. */
export function flagKind(name: string, option: Option<unknown>): Kind | undefined {
  if (Object.hasOwn(flagKinds, name)) return flagKinds[name];
  const choices = /\(([a-z-]+(?:\|[a-z-]+(?:\[[^\]]*\]|:[A-Z]+)?)+)\)/.exec(option.help)?.[1];
  if (choices !== undefined) return choices.split("|").map((choice) => choice.replace(/\[.*\]$|[A-Z]+$/g, ""));
  const quoted = [...option.help.matchAll(/\("([a-z-]+)"((?:, "[a-z-]+")+)\)/g)][0];
  return quoted === undefined ? undefined : [...quoted[0].matchAll(/"([a-z-]+)"/g)].map(([, word = ""]) => word);
}
