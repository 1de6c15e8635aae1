import { LexerProblem, lex } from "./lexer.ts";
import type { Text } from "./text.ts";
import type { Word } from "./types.ts";

/** A `<<EOT` of an instruction whose document is still to be read. */
export interface HeredocMark {
  readonly mark: Word;
  readonly name: string;
  readonly expand: boolean;
  readonly stripTabs: boolean;
  readonly descriptor: number;
}

const nothing = () => undefined;

/** All heredocs that a line announces, in order. A line that a shell would not understand announces none. */
export function readHeredocMarks(line: Text): readonly HeredocMark[] {
  if (!line.value.includes("<<")) return [];
  const words = wordsOf(line.value, true);
  let from = 0;
  return words.flatMap((word) => {
    const mark = parseHeredocMark(word);
    if (mark === undefined) return [];
    const at = Math.max(line.value.indexOf(word, from), 0);
    from = at + word.length;
    return [{ ...mark, mark: line.slice(at, from).word() }];
  });
}

/** What `0<<-"EOT"` says; undefined when it is no heredoc. */
export function parseHeredocMark(word: string): Omit<HeredocMark, "mark"> | undefined {
  const match = /^(\d*)<<(-?)\s*([^<]+)$/.exec(word);
  if (match === null) return undefined;
  const [, descriptor = "", dash = "", delimiter = ""] = match;
  const [name, ...more] = wordsOf(delimiter, false);
  if (name === undefined || more.length > 0) return undefined;
  // When quotes vanish as the word is read, some part of it was quoted.
  const expand = quotes(name) === quotes(wordsOf(delimiter, true)[0] ?? "");
  return { name, expand, stripTabs: dash === "-", descriptor: Number(descriptor) };
}

function wordsOf(text: string, raw: boolean): readonly string[] {
  const options = { escape: "\\", lookup: nothing, keepUnset: true, keepQuotes: raw, keepEscapes: raw } as const;
  try {
    return lex(text, options).words;
  } catch (error) {
    if (error instanceof LexerProblem) return [];
    throw error;
  }
}

function quotes(text: string): number {
  return text.match(/['"]/g)?.length ?? 0;
}
