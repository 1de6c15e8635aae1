import { invalid } from "../errors.ts";

/** `a,b`: a flag that may be repeated, and have several values each time. */
export function commaList(text: string): readonly string[] {
  return text === "" ? [] : parseCsv(text);
}

/** The fields of one CSV record (RFC 4180): quotes around a field allow commas, a doubled quote is a quote. */
export function parseCsv(text: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const [field, end] = text[at] === '"' ? quoted(text, at + 1) : bare(text, at);
    fields.push(field);
    if (end >= text.length) return fields;
    at = end + 1;
  }
}

function bare(text: string, from: number): [field: string, end: number] {
  const comma = text.indexOf(",", from);
  const end = comma < 0 ? text.length : comma;
  const field = text.slice(from, end);
  if (field.includes('"')) throw invalid(`bare " in non-quoted field: ${field}`);
  return [field, end];
}

function quoted(text: string, from: number): [field: string, end: number] {
  let field = "";
  let at = from;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw invalid(`missing closing quote in ${text}`);
    field += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      const end = quote + 1;
      if (end < text.length && text[end] !== ",") throw invalid(`extraneous " in field: ${text}`);
      return [field, end];
    }
    field += '"';
    at = quote + 2;
  }
}
