import { SampanError } from "../../errors/index.ts";

/** Whether text has characters that mean something to `matcher`. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** One name against a pattern of Go's filepath.Match: `*`, `?`, `[a-z]`, `[^a]` and `\` before what is meant literally. */
export function matcher(pattern: string): (name: string) => boolean {
  let expression = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    if (character === "*") expression += "[^/]*";
    else if (character === "?") expression += "[^/]";
    else if (character === "[") {
      const { text, end } = characterClass(pattern, at);
      expression += text;
      at = end;
    } else if (character === "\\") {
      at++;
      if (at >= pattern.length) throw malformed(pattern);
      expression += literal(pattern[at] ?? "");
    } else expression += literal(character);
  }
  const whole = new RegExp(`^${expression}$`, "su");
  return (name) => whole.test(name);
}

function characterClass(pattern: string, from: number): { readonly text: string; readonly end: number } {
  let at = from + 1;
  let text = "[";
  if (pattern[at] === "^") {
    text += "^";
    at++;
  }
  const first = at;
  for (; pattern[at] !== "]" || at === first; at++) {
    if (at >= pattern.length || (pattern[at] === "]" && at === first)) throw malformed(pattern);
    if (pattern[at] === "\\") at++;
    const character = pattern[at];
    if (character === undefined) throw malformed(pattern);
    text += character === "-" && pattern[at - 1] !== "\\" ? "-" : character.replace(/[\\^[\]-]/, "\\$&");
  }
  return { text: `${text}]`, end: at };
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

function malformed(pattern: string): SampanError {
  return new SampanError("invalid", `syntax error in pattern ${JSON.stringify(pattern)}`);
}
