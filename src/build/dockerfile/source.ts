import type { SourceFile, SourceRange } from "./types.ts";

/** A file with its lines, for messages. */
export function sourceFile(name: string, text: string): SourceFile {
  return { name, lines: text.replace(/^\uFEFF/, "").split(/\r?\n/) };
}

/** The most lines that an excerpt shows of what is wrong. */
const maximalLines = 12;

/**
 * The lines of a range with one before and one after, numbered, and a caret line below what is wrong:
 *
 *     2 | FROM alpine
 *     3 | RUNN make
 *       | ^^^^
 */
export function excerpt(source: SourceFile, range: SourceRange): string {
  const first = Math.max(1, range.start.line - 1);
  const end = Math.min(range.end.line, range.start.line + maximalLines - 1);
  const last = Math.min(source.lines.length, end + 1);
  const width = String(last).length + 2;
  const shown: string[] = [];
  for (let line = first; line <= last; line++) {
    const text = source.lines[line - 1] ?? "";
    if (line === last && line > end && text.trim() === "") break;
    shown.push(`${String(line).padStart(width)} | ${text}`.trimEnd());
    const marks = line === range.start.line ? caret(text, range) : "";
    if (marks !== "") shown.push(`${" ".repeat(width)} | ${marks}`);
  }
  return shown.join("\n");
}

/** Carets below the part of the range's first line; tabs stay tabs, so that they stand below it. */
function caret(text: string, range: SourceRange): string {
  const from = range.start.column - 1;
  const to = range.end.line === range.start.line ? range.end.column - 1 : text.trimEnd().length;
  if (from >= text.length && text !== "") return `${text.replace(/[^\t]/g, " ")}^`;
  return text.slice(0, from).replace(/[^\t]/g, " ") + "^".repeat(Math.max(1, to - from));
}
