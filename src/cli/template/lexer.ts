import { type Place, templateError } from "./error.ts";

/** A piece of a template: text as it is, or the inside of `{{ }}`. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[] };

export type Token = Shape & { readonly place: Place };

type Shape =
  | { readonly kind: "field"; readonly names: readonly string[] }
  | { readonly kind: "variable"; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "word"; readonly value: string }
  | { readonly kind: "mark"; readonly value: "(" | ")" | "|" | "," | ":=" | "=" };

/** Cuts a template at its actions; `{{-` and `-}}` take the white space beside them away. */
export function cutTemplate(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf("{{", at);
    const raw = source.slice(at, open < 0 ? source.length : open);
    const trimBefore = open >= 0 && /^-\s/.test(source.slice(open + 2, open + 4));
    const text = trimEnds(raw, { start: trimNext, end: trimBefore });
    if (text !== "") pieces.push({ kind: "text", text });
    if (open < 0) return pieces;
    const close = closing(source, open + 2);
    trimNext = /\s-$/.test(source.slice(open + 2, close));
    const begin = open + (trimBefore ? 3 : 2);
    const body = source.slice(begin, trimNext ? close - 1 : close);
    const isComment = /^\s*\/\*.*\*\/\s*$/s.test(body);
    if (!isComment) pieces.push({ kind: "action", tokens: tokens(body, (at) => position(source, begin + at)) });
    at = close + 2;
  }
}

function trimEnds(text: string, sides: { readonly start: boolean; readonly end: boolean }): string {
  const left = sides.start ? text.trimStart() : text;
  return sides.end ? left.trimEnd() : left;
}

/** Where the action ends: the first `}}` that is not inside a string. */
function closing(source: string, from: number): number {
  const parts = /"(?:\\.|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])*'|\/\*[\s\S]*?\*\/|\}\}/g;
  parts.lastIndex = from;
  for (let match = parts.exec(source); match !== null; match = parts.exec(source)) {
    if (match[0] === "}}") return match.index;
  }
  throw templateError("unclosed action");
}

function position(source: string, at: number): { readonly line: number; readonly column: number } {
  const before = source.slice(0, at).split("\n");
  return { line: before.length, column: Buffer.byteLength(before.at(-1) ?? "") };
}

const shapes: readonly (readonly [RegExp, (match: RegExpExecArray) => Shape | undefined])[] = [
  [/\s+/y, () => undefined],
  [/"(?:\\.|[^"\\])*"/y, ([text]) => ({ kind: "string", value: unquote(text) })],
  [/`([^`]*)`/y, ([, value = ""]) => ({ kind: "string", value })],
  [/'(?:\\.|[^'\\])'/y, ([text]) => ({ kind: "number", value: unquote(`"${text.slice(1, -1)}"`).codePointAt(0) ?? 0 })],
  [
    /-?(?:0x[0-9a-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)/y,
    ([text]) => ({ kind: "number", value: Number(text.replaceAll("_", "")) }),
  ],
  [
    /\$(\w*)((?:\.\w+)*)/y,
    ([, name = "", fields = ""]) => ({ kind: "variable", name, names: fields.split(".").slice(1) }),
  ],
  [/(?:\.\w+)+/y, ([text]) => ({ kind: "field", names: text.split(".").slice(1) })],
  [/\./y, () => ({ kind: "field", names: [] })],
  [/\w+/y, ([value]) => ({ kind: "word", value })],
  [/:=|[()|,=]/y, ([value]) => ({ kind: "mark", value: value as "(" })],
];

function tokens(body: string, positionOf: (at: number) => { readonly line: number; readonly column: number }): Token[] {
  const found: Token[] = [];
  let at = 0;
  next: while (at < body.length) {
    for (const [shape, make] of shapes) {
      shape.lastIndex = at;
      const match = shape.exec(body);
      if (match === null) continue;
      const token = make(match);
      // Of `.A.B` Go tells where `.B` is.
      const second = token?.kind === "field" ? match[0].indexOf(".", 1) : -1;
      if (token !== undefined) {
        found.push({ ...token, place: { text: match[0], ...positionOf(at + Math.max(second, 0)) } });
      }
      at = shape.lastIndex;
      continue next;
    }
    throw templateError(`unexpected ${JSON.stringify(body[at])} in {{${body}}}`);
  }
  return found;
}

function unquote(text: string): string {
  try {
    // What a shell has made of `\t` is a tab by now, which JSON would not have.
    return JSON.parse(text.replaceAll("\t", "\\t").replaceAll("\\a", "\\u0007")) as string;
  } catch {
    if (text.includes("\n")) throw templateError("unterminated quoted string");
    throw templateError(`cannot read the string ${text}`);
  }
}
