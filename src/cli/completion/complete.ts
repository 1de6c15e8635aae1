import type { Command } from "../command.ts";
import { commands, findCommand, groups } from "../commands.ts";
import { globalGrammar } from "../globals.ts";
import type { AnyOptions, Option } from "../options.ts";
import { argumentKind, flagKind, type Kind } from "./kinds.ts";

/** A word that may stand where the cursor is, and what it means. */
export interface Candidate {
  readonly value: string;
  readonly help?: string;
}

/** What can be asked of the daemon; without one, nothing is there. */
export type Lookup = (kind: Exclude<Kind, "file" | readonly string[]>) => Promise<readonly Candidate[]>;

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** Names of files are meant. */
  readonly files: boolean;
}

/** What the last of the words, perhaps empty, may become. */
export async function complete(words: readonly string[], lookup: Lookup): Promise<Completion> {
  const typed = words.at(-1) ?? "";
  const before = withoutGlobals(words.slice(0, -1));
  const found = findCommand(before);
  if (found === undefined) return matching(firstWords(before, typed), typed);
  const { default: command } = await found.entry.load();
  const name = found.path.split(" ").at(-1) ?? "";
  const { flag, flagsEnded, positions } = walk(command, found.rest);
  const assigned = /^(--[^=]+=)(.*)$/s.exec(typed);
  if (flag !== undefined) return ofKind(flagKind(...flag), { typed, prefix: "" }, lookup);
  if (assigned !== null && !flagsEnded) {
    const [, prefix = "", value = ""] = assigned;
    const option = command.options[prefix.slice(2, -1)];
    if (option === undefined) return none;
    return ofKind(flagKind(prefix.slice(2, -1), option), { typed: value, prefix }, lookup);
  }
  if (typed.startsWith("-") && !flagsEnded) return matching(flagWords(command.options), typed);
  // What runs in the container is not ours to know; `run` takes it after the image.
  return ofKind(argumentKind(name, command, positions), { typed, prefix: "" }, lookup);
}

const none: Completion = { candidates: [], files: false };

function matching(candidates: readonly Candidate[], typed: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(typed)), files: false };
}

async function ofKind(
  kind: Kind | undefined,
  { typed, prefix }: { readonly typed: string; readonly prefix: string },
  lookup: Lookup,
): Promise<Completion> {
  if (kind === undefined) return none;
  if (kind === "file") return { candidates: [], files: true };
  const all = typeof kind === "string" ? await lookup(kind) : kind.map((value) => ({ value }));
  const { candidates } = matching(all, typed);
  return { candidates: candidates.map(({ value, ...rest }) => ({ ...rest, value: prefix + value })), files: false };
}

function withoutGlobals(words: readonly string[]): readonly string[] {
  let at = 0;
  while (words[at]?.startsWith("-")) at += words[at] === "-H" || words[at] === "--host" ? 2 : 1;
  return words.slice(at);
}

/** Commands and groups, or what is in a group. */
function firstWords([group, ...more]: readonly string[], typed: string): readonly Candidate[] {
  if (more.length > 0) return [];
  if (group === undefined && typed.startsWith("-")) return flagWords(globalGrammar.options);
  const start = group === undefined ? "" : `${group} `;
  const rows = commands.flatMap(({ paths, summary }) =>
    paths
      .filter((path) => path.startsWith(start) && !path.slice(start.length).includes(" "))
      .map((path) => ({ value: path.slice(start.length), help: summary })),
  );
  const names = group === undefined ? Object.entries(groups).map(([value, help]) => ({ value, help })) : [];
  return [...rows, ...names].toSorted((a, b) => (a.value < b.value ? -1 : 1));
}

function flagWords(options: AnyOptions): readonly Candidate[] {
  const shown = Object.entries(options).filter(([, option]) => !option.hidden);
  const words = shown.map(([name, { help }]) => ({ value: `--${name}`, help }));
  return [...words, { value: "--help", help: "Print usage" }].toSorted((a, b) => (a.value < b.value ? -1 : 1));
}

interface Walked {
  /** The flag whose value comes next. */
  readonly flag: readonly [name: string, option: Option<unknown>] | undefined;
  readonly flagsEnded: boolean;
  /** How many arguments there are. */
  readonly positions: number;
}

/** Goes over the words of a command up to the one that is being typed. */
function walk(command: Command, words: readonly string[]): Walked {
  let flag: Walked["flag"];
  let flagsEnded = false;
  let positions = 0;
  for (const word of words) {
    if (flag !== undefined) flag = undefined;
    else if (flagsEnded || !word.startsWith("-") || word === "-") {
      positions++;
      flagsEnded ||= command.flagsFirst ?? false;
    } else if (word === "--") flagsEnded = true;
    else if (!word.includes("=")) flag = wantsValue(command.options, word);
  }
  return { flag, flagsEnded, positions };
}

/** `--name` or the last of `-it`, when its value is the next word. */
function wantsValue(options: AnyOptions, word: string): Walked["flag"] {
  const found = Object.entries(options).find(([name, { short }]) =>
    word.startsWith("--") ? word === `--${name}` : short !== undefined && word.endsWith(short),
  );
  return found !== undefined && found[1].label !== "" ? found : undefined;
}
