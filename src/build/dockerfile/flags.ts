import { closest } from "../../errors/suggest.ts";
import { isSpace } from "./characters.ts";
import { DockerfileError } from "./error.ts";
import type { Text } from "./text.ts";
import type { SourceFile, Word } from "./types.ts";

/** A `--name=value` before an instruction's arguments, quotes and escapes removed. */
export interface RawFlag {
  /** Without the dashes. */
  readonly name: string;
  /** Undefined without `=`. */
  readonly value: Word | undefined;
  readonly word: Word;
}

/** Takes the flags off the front of an instruction's arguments; `--` ends them. */
export function takeFlags(text: Text, escaper: string): { readonly flags: readonly RawFlag[]; readonly rest: Text } {
  const flags: RawFlag[] = [];
  let rest = text.trimStart();
  while (rest.value.startsWith("--")) {
    const { length, content } = readFlag(rest.value, escaper);
    const word = rest.slice(0, length).word(content);
    rest = rest.slice(length).trimStart();
    if (content === "--") break;
    flags.push(flagOf(word));
  }
  return { flags, rest };
}

function flagOf(word: Word): RawFlag {
  const equals = word.raw.indexOf("=");
  if (equals < 0) return { name: word.raw.slice(2), value: undefined, word };
  const { start, end } = word.range;
  // Without quotes the value's place is known exactly; with them the whole flag is shown.
  const exact = start.line === end.line && end.column - start.column === word.raw.length;
  const range = exact ? { start: { line: start.line, column: start.column + equals + 1 }, end } : word.range;
  return { name: word.raw.slice(2, equals), value: { raw: word.raw.slice(equals + 1), range }, word };
}

/** How long the flag is in the source, and what it says without quotes and escapes. */
function readFlag(value: string, escaper: string): { readonly length: number; readonly content: string } {
  let quote = "";
  let content = "";
  let at = 0;
  for (; at < value.length; at++) {
    const character = value[at] ?? "";
    if (character === escaper) {
      at++;
      content += value[at] ?? "";
    } else if (quote !== "") {
      if (character === quote) quote = "";
      else content += character;
    } else if (isSpace(character)) break;
    else if (character === "'" || character === '"') quote = character;
    else content += character;
  }
  return { length: Math.min(at, value.length), content };
}

/** What kinds of flags there are: `list` may be repeated, `text` needs a value, `truth` is true without one. */
export type FlagKind = "text" | "truth" | "list";

/** An instruction's flags, checked against those that it knows. */
export class Flags {
  readonly #source: SourceFile;
  readonly #given = new Map<string, RawFlag[]>();

  constructor(flags: readonly RawFlag[], known: Readonly<Record<string, FlagKind>>, source: SourceFile) {
    this.#source = source;
    for (const flag of flags) {
      const kind = Object.hasOwn(known, flag.name) ? known[flag.name] : undefined;
      if (kind === undefined) throw this.#fail(flag, `unknown flag: --${flag.name}${meant(flag.name, known)}`);
      const before = this.#given.get(flag.name);
      if (before !== undefined && kind !== "list") throw this.#fail(flag, `duplicate flag specified: --${flag.name}`);
      const empty = kind === "truth" && flag.value?.raw === "";
      if (empty || (kind !== "truth" && flag.value === undefined)) {
        throw this.#fail(flag, `missing a value on flag: --${flag.name}`);
      }
      if (kind === "truth") this.#truthOf(flag);
      this.#given.set(flag.name, [...(before ?? []), flag]);
    }
  }

  /** The value of a flag that may stand once; empty is absent. */
  text(name: string): Word | undefined {
    const value = this.#given.get(name)?.[0]?.value;
    return value?.raw === "" ? undefined : value;
  }

  list(name: string): readonly Word[] {
    return (this.#given.get(name) ?? []).flatMap(({ value }) => value ?? []);
  }

  /** Undefined when the flag is absent. */
  truth(name: string): boolean | undefined {
    const flag = this.#given.get(name)?.[0];
    return flag === undefined ? undefined : this.#truthOf(flag);
  }

  #truthOf(flag: RawFlag): boolean {
    const value = flag.value?.raw.toLowerCase() ?? "true";
    if (value === "true" || value === "false") return value === "true";
    throw this.#fail(flag, `expecting boolean value for flag --${flag.name}, not: ${flag.value?.raw}`);
  }

  #fail(flag: RawFlag, reason: string): DockerfileError {
    return new DockerfileError(reason, this.#source, flag.word.range);
  }
}

function meant(name: string, known: Readonly<Record<string, FlagKind>>): string {
  const near = closest(name, Object.keys(known));
  return near === undefined ? "" : ` (did you mean --${near}?)`;
}
