import { DockerfileError } from "./error.ts";
import { type Expanded, LexerProblem, lex } from "./lexer.ts";
import type { Heredoc, SourceFile, Word } from "./types.ts";

/** Where words are expanded: the variables, and the file for messages. */
export interface Expansion {
  readonly source: SourceFile;
  readonly escape: "\\" | "`";
  lookup(name: string): string | undefined;
}

/** A word with its variables expanded and its quotes removed, and which variables that took. */
export function expand(word: Word, scope: Expansion): Expanded {
  return located(word, scope, () => lex(word.raw, { escape: scope.escape, lookup: (name) => scope.lookup(name) }));
}

/** A word with its variables expanded and its quotes removed; spaces stay. */
export function expandWord(word: Word, scope: Expansion): string {
  return expand(word, scope).text;
}

/** As expandWord, but what is not quoted is split at spaces, those of variables too. */
export function expandWords(word: Word, scope: Expansion): readonly string[] {
  return expand(word, scope).words;
}

/** The content of a heredoc that becomes a file: variables are expanded unless its delimiter was quoted. */
export function expandHeredoc(heredoc: Heredoc, scope: Expansion): string {
  return heredoc.expand ? expandDocument(heredoc, scope).text : heredoc.content;
}

/** The content of a heredoc whose delimiter was not quoted, and which variables that took. */
export function expandDocument(heredoc: Heredoc, scope: Expansion): Expanded {
  const options = { escape: "\\", ignoreQuotes: true, lookup: (name: string) => scope.lookup(name) } as const;
  return located(heredoc, scope, () => lex(heredoc.content, options));
}

/** An instruction as progress shows it: variables that exist are expanded, everything else stays as written. */
export function expandForDisplay(text: string, scope: Expansion): string {
  const options = { escape: scope.escape, keepQuotes: true, keepUnset: true } as const;
  try {
    return lex(text, { ...options, lookup: (name) => scope.lookup(name) }).text;
  } catch (error) {
    if (error instanceof LexerProblem) return text;
    throw error;
  }
}

function located<Result>(at: Pick<Word, "range">, { source }: Expansion, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof LexerProblem) throw new DockerfileError(error.message, source, at.range);
    throw error;
  }
}
