import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A command of docker 28's, as its help tells it. */
export interface Command {
  readonly name: string;
  readonly aliases: readonly string[];
  /** "-d --detach", "--name value". */
  readonly flags: readonly string[];
}

export const commands: readonly Command[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "commands.golden.json"), "utf8"),
);

interface Flag {
  readonly name: string;
  readonly takesValue: boolean;
}

/** The command that a line of words is, and the flags that it has, by their long names. */
export function commandOf(
  words: readonly string[],
  all: readonly Command[],
): { command: Command; flags: string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = all.find((each) => each.name === name || each.aliases.includes(name));
    if (command !== undefined) return { command, flags: flagsOf(words.slice(length), command) };
  }
  return undefined;
}

function flagsOf(words: readonly string[], command: Command): string[] {
  const known = new Map(command.flags.flatMap(entriesOf));
  // What follows the image of `run`, or the container of `exec`, is another program's.
  const endsAtFirst = ["run", "create", "exec"].includes(command.name);
  const used: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) {
      if (endsAtFirst && word !== "…") break;
      continue;
    }
    const flags = (word.startsWith("--") ? [word.replace(/=.*/, "")] : shortsOf(word)).map((name) => known.get(name));
    for (const flag of flags) if (flag !== undefined) used.push(flag.name);
    if (flags.at(-1)?.takesValue && !word.includes("=")) at++;
  }
  return [...new Set(used)];
}

/** "-dit" is three flags, as far as they are letters. */
function shortsOf(word: string): string[] {
  return [...(/^-([a-z]+)/i.exec(word)?.[1] ?? "")].map((letter) => `-${letter}`);
}

function entriesOf(text: string): [string, Flag][] {
  const names = text.split(" ").filter((name) => name.startsWith("-"));
  const flag = { name: longName(text), takesValue: text.endsWith(" value") };
  return names.map((name) => [name, flag]);
}

/** "--detach" of "-d --detach". */
export function longName(text: string): string {
  return text.split(" ").find((name) => name.startsWith("--")) ?? text;
}
