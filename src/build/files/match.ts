import { SampanError } from "../../errors/index.ts";
import { compile, type Term } from "../pattern/compile.ts";

/** Whether text has characters that mean something to `matcher`. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/**
 * One name against a pattern of Go's filepath.Match: `*`, `?`, `[a-z]`, `[^a]` and `\` before what is meant literally. Kind
 * "invalid" for what Go calls a bad pattern.
 */
export function matcher(pattern: string): (name: string) => boolean {
  const terms: Term[] = [];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? "";
    if (character === "*") terms.push({ source: "[^/]", times: "any" });
    else if (character === "?") terms.push({ source: "[^/]", times: "once" });
    else if (character === "[") {
      const { source, end } = characterClass(pattern, characters, at);
      terms.push({ source, times: "once" });
      at = end;
    } else if (character === "\\") {
      const escaped = characters[++at];
      if (escaped === undefined) throw malformed(pattern);
      terms.push({ source: literal(escaped), times: "once" });
    } else terms.push({ source: literal(character), times: "once" });
  }
  return compile(terms);
}

/** From a "[" to the "]" that ends it. */
function characterClass(pattern: string, characters: readonly string[], from: number) {
  let at = from + 1;
  const negated = characters[at] === "^";
  if (negated) at++;
  const one = (): string => {
    // Neither stands for itself here, as in Go.
    if (characters[at] === "-" || characters[at] === "]") throw malformed(pattern);
    if (characters[at] === "\\") at++;
    const character = characters[at++];
    if (character === undefined) throw malformed(pattern);
    return character;
  };
  const ranges: string[] = [];
  do {
    const low = one();
    if (characters[at] !== "-") ranges.push(inClass(low));
    else {
      at++;
      const high = one();
      // A range that is the wrong way round has nothing in it.
      if (compare(low, high) <= 0) ranges.push(`${inClass(low)}-${inClass(high)}`);
    }
  } while (characters[at] !== "]");
  return { source: `[${negated ? "^" : ""}${ranges.join("")}]`, end: at };
}

function compare(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
}

function inClass(character: string): string {
  return character.replace(/[\\^[\]-]/, "\\$&");
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function malformed(pattern: string): SampanError {
  return new SampanError("invalid", `syntax error in pattern ${JSON.stringify(pattern)}`);
}
