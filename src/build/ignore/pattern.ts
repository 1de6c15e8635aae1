import { posix } from "node:path";
import { SampanError } from "../../errors/index.ts";
import { compile, type Term } from "../pattern/compile.ts";

/** One line of an ignore file: which paths it matches, and whether it takes them back in. */
export interface Pattern {
  /** Cleaned, without the `!`. */
  readonly text: string;
  /** `!pattern`. */
  readonly negated: boolean;
  /** Whether this very path matches; what is below a match is the list's business. */
  matches(path: string): boolean;
}

/**
 * Reads a pattern as Docker's patternmatcher does: `*` and `?` stop at slashes, `**` does not, `[a-z]` are ranges, a
 * backslash escapes. Undefined for an empty one.
 */
export function parsePattern(line: string): Pattern | undefined {
  const trimmed = line.trim();
  if (trimmed === "") return undefined;
  const cleaned = clean(trimmed);
  const negated = cleaned.startsWith("!");
  const text = negated ? cleaned.slice(1) : cleaned;
  if (text === "") throw new SampanError("invalid", 'illegal exclusion pattern: "!"');
  const { terms, kind } = translate(text);
  return { text, negated, matches: matcherOf(text, kind, compiled(terms, line)) };
}

/** The shortest equivalent path, as Go's `filepath.Clean` gives it. */
export function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 ? normal.replace(/\/$/, "") : normal;
}

/** Docker compares most patterns as texts; this is not the same as the expression where `**` stands at an end. */
type Kind = "exact" | "prefix" | "suffix" | "expression";

function matcherOf(text: string, kind: Kind, expression: (path: string) => boolean): (path: string) => boolean {
  if (kind === "exact") return (path) => path === text;
  if (kind === "prefix") return (path) => path.startsWith(text.slice(0, -2));
  if (kind === "expression") return expression;
  const suffix = text.slice(2);
  return (path) => path.endsWith(suffix) || (suffix.startsWith("/") && path === suffix.slice(1));
}

function compiled(terms: readonly Term[], line: string): (path: string) => boolean {
  try {
    return compile(terms);
  } catch (cause) {
    throw new SampanError("invalid", `Cannot read ignore pattern ${JSON.stringify(line)}: syntax error in pattern`, {
      cause,
    });
  }
}

function translate(text: string): { readonly terms: readonly Term[]; readonly kind: Kind } {
  const characters = Array.from(text);
  let kind: Kind = "exact";
  const terms: Term[] = [];
  const once = (source: string) => terms.push({ source, times: "once" });
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*" && characters[at + 1] === "*") {
      const first = at === 0;
      at++;
      if (characters[at + 1] === "/") at++;
      const last = at + 1 === characters.length;
      terms.push({ source: ".", times: last ? "any" : "directories" });
      const after: Kind = last && kind === "exact" ? "prefix" : "expression";
      kind = first ? "suffix" : after;
    } else if (character === "*" || character === "?") {
      terms.push({ source: "[^/]", times: character === "*" ? "any" : "once" });
      kind = "expression";
    } else if (character === "[") {
      const { length, set } = characterSet(characters.slice(at));
      once(set);
      at += length - 1;
      kind = "expression";
    } else if (character === "\\" && at + 1 < characters.length) {
      once(escaped(characters[++at] ?? ""));
      kind = "expression";
    } else once(escaped(character));
  }
  return { terms, kind };
}

/** `[a-z]`, `[^a-z]`, with backslashes for characters that mean something. Without its end it is no pattern. */
function characterSet(characters: readonly string[]): { readonly length: number; readonly set: string } {
  let set = "[";
  let at = 1;
  if (characters[at] === "^") {
    set += "^";
    at++;
  }
  for (; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "]" && set.length > (characters[1] === "^" ? 2 : 1)) return { length: at + 1, set: `${set}]` };
    if (character === "-") set += "-";
    else set += (character === "\\" ? (characters[++at] ?? "") : character).replace(/[\\\]^[-]/, "\\$&");
  }
  return { length: characters.length, set };
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
