import { SampanError } from "../../errors/index.ts";
import type { MountField, MountFlag, Word } from "./types.ts";

/** Cuts a `--mount` at its commas; quotes around a field allow commas in it, a doubled quote is a quote (RFC 4180). */
export function readMountFields(word: Word): MountFlag {
  const fields: MountField[] = [];
  let at = 0;
  for (;;) {
    const { text, start, end } = word.raw[at] === '"' ? quoted(word.raw, at + 1) : bare(word.raw, at);
    fields.push(field(word, text, start));
    if (end >= word.raw.length) return { range: word.range, fields };
    at = end + 1;
  }
}

interface Cut {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function bare(raw: string, start: number): Cut {
  const comma = raw.indexOf(",", start);
  const end = comma < 0 ? raw.length : comma;
  return { text: raw.slice(start, end), start, end };
}

function quoted(raw: string, start: number): Cut {
  const closing = /^(?:[^"]|"")*"(?=,|$)/.exec(raw.slice(start))?.[0];
  if (closing === undefined) throw new SampanError("invalid", `missing closing quote in ${raw}`);
  return { text: closing.slice(0, -1).replaceAll('""', '"'), start, end: start + closing.length };
}

function field(word: Word, text: string, offset: number): MountField {
  const equals = text.indexOf("=");
  const key = (equals < 0 ? text : text.slice(0, equals)).toLowerCase();
  const { start, end } = word.range;
  const exact = start.line === end.line && end.column - start.column === word.raw.length;
  const at = { line: start.line, column: start.column + offset };
  const range = exact ? { start: at, end: { line: at.line, column: at.column + text.length } } : word.range;
  return { key, value: equals < 0 ? undefined : { raw: text.slice(equals + 1), range }, range };
}
