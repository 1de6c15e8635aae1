/**
 * Patterns of `${name#pattern}` and its kin: `*` and `?` as in a shell, without bracket expressions. Functions answer
 * with a problem when the pattern is none.
 */
type Answer = string | { readonly problem: string };

/** The value without the part at its beginning that the pattern matches. */
export function cutPrefix(value: string, pattern: string, longest: boolean): Answer {
  const source = patternSource(pattern, longest);
  if (typeof source !== "string") return source;
  const match = new RegExp(`^${source}`, "u").exec(value);
  return match === null ? value : value.slice(match[0].length);
}

/** The value without the part at its end that the pattern matches. */
export function cutSuffix(value: string, pattern: string, longest: boolean): Answer {
  const source = patternSource(pattern, true);
  if (typeof source !== "string") return source;
  const whole = new RegExp(`^(?:${source})$`, "u");
  const characters = Array.from(value);
  for (let step = 0; step <= characters.length; step++) {
    const at = longest ? step : characters.length - step;
    if (whole.test(characters.slice(at).join(""))) return characters.slice(0, at).join("");
  }
  return value;
}

/** The value with the first (or every) longest match replaced. */
export function replacePattern(
  value: string,
  pattern: string,
  { replacement, all }: { readonly replacement: string; readonly all: boolean },
): Answer {
  const source = patternSource(pattern, true);
  if (typeof source !== "string") return source;
  return value.replace(new RegExp(source, all ? "gu" : "u"), () => replacement);
}

function patternSource(pattern: string, longest: boolean): Answer {
  const characters = Array.from(pattern);
  let source = "";
  for (let at = 0; at < characters.length; at++) {
    let character = characters[at] ?? "";
    if (character === "*") source += longest ? ".*" : ".*?";
    else if (character === "?") source += ".";
    else if (character === "\\") {
      // `\}` and `\/` were only escaped to stand in ${}; everything else must be a character with a meaning.
      character = characters[++at] ?? "";
      if (!["}", "/", "*", "?", "\\"].includes(character)) return { problem: `invalid escape '\\${character}'` };
      source += escaped(character);
    } else source += escaped(character);
  }
  return source;
}

function escaped(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
}
