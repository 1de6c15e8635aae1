import { type Place, templateError } from "./error.ts";
import { isFunction } from "./functions.ts";
import type { Piece, Token } from "./lexer.ts";
import { cutTemplate } from "./lexer.ts";

/** A value in a pipeline: a field of the dot, a variable, a constant, a function's name or a pipeline in brackets. */
export type Operand = Value & { readonly place: Place };

type Value =
  | { readonly kind: "field"; readonly names: readonly string[] }
  | { readonly kind: "variable"; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: "constant"; readonly value: unknown }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "group"; readonly pipeline: Pipeline; readonly names: readonly string[] };

/** `first arg arg | next arg`: the result of each command is the last argument of the one after it. */
export interface Pipeline {
  /** Variables that take the result: `$x :=`, or `$index, $element :=` of a range. */
  readonly declares: readonly string[];
  /** `=` instead of `:=`: the variables are there already, perhaps outside of the block. */
  readonly assigns: boolean;
  readonly commands: readonly (readonly Operand[])[];
  readonly place: Place;
}

export interface Block {
  readonly kind: "if" | "with" | "range";
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | { readonly kind: "break" }
  | { readonly kind: "continue" }
  | Block;

const constants: Readonly<Record<string, unknown>> = { true: true, false: false, nil: null };

/** The tree of a template. Throws the template error docker's exit code 64 goes with. */
export function parseTemplate(source: string): readonly Node[] {
  const reader = new Reader(cutTemplate(source));
  const { nodes, end } = reader.body();
  if (end !== undefined) throw templateError(`unexpected {{${end.word}}}`);
  return nodes;
}

/** What ended a list of nodes: `end`, or `else` with what follows it. */
interface End {
  readonly word: string;
  readonly rest: readonly Token[];
}

class Reader {
  readonly #pieces: readonly Piece[];
  #at = 0;
  #ranges = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Nodes up to the end of the block or of the template. */
  body(): { nodes: Node[]; end: End | undefined } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) return { nodes, end: undefined };
      if (piece.kind === "text") {
        nodes.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      if (first === undefined) throw templateError("missing value for command");
      const word = first.kind === "word" ? first.value : "";
      if (word === "end" || word === "else") return { nodes, end: { word, rest } };
      if (word === "if" || word === "with" || word === "range") nodes.push(this.#block(word, rest));
      else if (word === "break" || word === "continue") {
        if (this.#ranges === 0) throw templateError(`{{${word}}} outside {{range}}`);
        nodes.push({ kind: word });
      } else nodes.push({ kind: "print", pipeline: parsePipeline(piece.tokens) });
    }
  }

  #block(kind: "if" | "with" | "range", tokens: readonly Token[]): Node {
    const pipeline = parsePipeline(tokens, kind);
    if (kind === "range") this.#ranges++;
    const { nodes: body, end } = this.body();
    if (kind === "range") this.#ranges--;
    if (end === undefined) throw templateError("unexpected EOF");
    return { kind, pipeline, body, otherwise: end.word === "else" ? this.#otherwise(end.rest) : [] };
  }

  #otherwise([first, ...rest]: readonly Token[]): readonly Node[] {
    // `{{else if x}}` shares the {{end}} of the outer block.
    if (first?.kind === "word" && (first.value === "if" || first.value === "with")) {
      return [this.#block(first.value, rest)];
    }
    const { nodes, end } = this.body();
    if (end?.word !== "end") throw templateError(end === undefined ? "unexpected EOF" : "unexpected {{else}}");
    return nodes;
  }
}

/** @param of what the pipeline is for, as errors call it */
function parsePipeline(tokens: readonly Token[], of = "command"): Pipeline {
  const declares: string[] = [];
  let rest = tokens;
  let assigns = false;
  const at = tokens.findIndex((token) => token.kind === "mark" && (token.value === ":=" || token.value === "="));
  if (at >= 0) {
    for (const token of tokens.slice(0, at)) if (token.kind === "variable") declares.push(token.name);
    rest = tokens.slice(at + 1);
    assigns = tokens[at]?.kind === "mark" && tokens[at].value === "=";
  }
  if (rest.length === 0) throw templateError(`missing value for ${of}`);
  const commands = splitAtBars(rest).map(parseCommand);
  return { declares, assigns, commands, place: placeOf(rest) };
}

function splitAtBars(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === "mark" && token.value === "(") depth++;
    if (token.kind === "mark" && token.value === ")") depth--;
    if (depth === 0 && token.kind === "mark" && token.value === "|") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  if (depth !== 0) throw templateError("unclosed left paren");
  if (parts.some((part) => part.length === 0)) throw templateError("missing value for command");
  return parts;
}

function parseCommand(tokens: readonly Token[]): Operand[] {
  const operands: Operand[] = [];
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined) break;
    if (token.kind === "mark") {
      if (token.value !== "(") throw templateError(`unexpected ${JSON.stringify(token.value)} in operand`);
      const close = matching(tokens, index);
      const after = tokens[close + 1];
      const names = after?.kind === "field" && after.names.length > 0 ? after.names : [];
      const place = placeOf(tokens.slice(index, close + 1));
      operands.push({ kind: "group", pipeline: parsePipeline(tokens.slice(index + 1, close)), names, place });
      index = names.length > 0 ? close + 1 : close;
    } else operands.push(operand(token));
  }
  return operands;
}

function matching(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    const token = tokens[index];
    if (token?.kind === "mark" && token.value === "(") depth++;
    if (token?.kind === "mark" && token.value === ")" && --depth === 0) return index;
  }
  throw templateError("unclosed left paren");
}

function operand(token: Exclude<Token, { kind: "mark" }>): Operand {
  const { place } = token;
  if (token.kind === "field" || token.kind === "variable") return token;
  if (token.kind !== "word") return { kind: "constant", value: token.value, place };
  if (token.value in constants) return { kind: "constant", value: constants[token.value], place };
  if (!isFunction(token.value)) throw templateError(`function ${JSON.stringify(token.value)} not defined`);
  return { kind: "function", name: token.value, place };
}

/** The tokens with one space between them, which is how Go prints its own trees, and where the first one is. */
export function placeOf(parts: readonly { readonly place: Place }[]): Place {
  const text = parts.map((part) => part.place.text).join(" ");
  const { line, column } = parts[0]?.place ?? { line: 1, column: 0 };
  return { text: text.replaceAll("( ", "(").replaceAll(" )", ")"), line, column };
}
