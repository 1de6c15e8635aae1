import { isSpace } from "./characters.ts";
import type { Text } from "./text.ts";
import type { Word } from "./types.ts";

/** Splits at every stretch of spaces, quoted or not: `FROM`, `EXPOSE`, paths of `COPY`, `ADD` and `VOLUME`. */
export function splitAtSpaces(text: Text): readonly Text[] {
  return [...text.value.matchAll(/[^\t\v\f\r ]+/g)].map((match) =>
    text.slice(match.index, match.index + match[0].length),
  );
}

/**
 * Splits at spaces outside quotes, as `ENV`, `LABEL` and `ARG` do. Quotes and escapes stay in the words: expansion
 * removes them.
 */
export function splitQuoted(text: Text, escaper: string): readonly Word[] {
  const words: Word[] = [];
  const { value } = text;
  let at = 0;
  while (at < value.length) {
    if (isSpace(value[at] ?? "")) at++;
    else {
      const end = endOfWord(value, at, escaper);
      const raw = value.slice(at, end);
      // An escape character at the very end escapes nothing.
      const dangling = end === value.length && endsInEscape(raw, escaper);
      const word = text.slice(at, end).word(dangling ? raw.slice(0, -1) : raw);
      if (word.raw !== "") words.push(word);
      at = end;
    }
  }
  return words;
}

function endOfWord(value: string, from: number, escaper: string): number {
  let quote = "";
  let at = from;
  while (at < value.length) {
    const character = value[at] ?? "";
    if (character === escaper && quote !== "'") at++;
    else if (quote === "" && isSpace(character)) return at;
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = "";
    at++;
  }
  return value.length;
}

function endsInEscape(raw: string, escaper: string): boolean {
  const trailing = raw.length - raw.replaceAll(escaper, " ").trimEnd().length;
  return raw.endsWith(escaper) && trailing % 2 === 1;
}
