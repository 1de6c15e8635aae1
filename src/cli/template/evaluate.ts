import { executionError, placed, templateError } from "./error.ts";
import { call, goType } from "./functions.ts";
import { isMap, nilText, optional } from "./go-types.ts";
import type { Block, Node, Operand, Pipeline } from "./parser.ts";
import { placeOf } from "./parser.ts";
import { goString, isTruth } from "./print.ts";

export interface RenderOptions {
  /** The data are a table's headings: every name there is text, whatever is asked of it. */
  readonly headings?: boolean;
}

class LoopEnd {
  readonly kind: "break" | "continue";
  constructor(kind: "break" | "continue") {
    this.kind = kind;
  }
}

/** Fills a template in; one evaluator per filling. */
export class Evaluator {
  readonly #options: RenderOptions;
  readonly #scopes: Map<string, unknown>[];
  #output = "";

  constructor(root: unknown, options: RenderOptions) {
    this.#options = options;
    this.#scopes = [new Map([["", root]])];
  }

  /** The template's text with the dot set to the data. */
  render(nodes: readonly Node[], dot: unknown): string {
    this.#run(nodes, dot);
    return this.#output;
  }

  #run(nodes: readonly Node[], dot: unknown): void {
    for (const node of nodes) {
      if (node.kind === "text") this.#output += node.text;
      else if (node.kind === "print") this.#print(node.pipeline, dot);
      else if (node.kind === "break" || node.kind === "continue") throw new LoopEnd(node.kind);
      else this.#inScope(() => this.#block(node, dot));
    }
  }

  #print(pipeline: Pipeline, dot: unknown): void {
    const value = this.#evaluate(pipeline, dot);
    const [name] = pipeline.declares;
    if (name !== undefined && pipeline.assigns) this.#scopeOf(name).set(name, value);
    else if (name !== undefined) this.#declare(name, value);
    else this.#output += value === null ? nilText(lastName(pipeline)) : goString(value);
  }

  #block(node: Block, dot: unknown): void {
    const value = this.#evaluate(node.pipeline, dot);
    if (node.kind === "range") {
      this.#range(node, value, dot);
      return;
    }
    const [name] = node.pipeline.declares;
    if (name !== undefined) this.#declare(name, value);
    if (isTruth(value)) this.#run(node.body, node.kind === "with" ? value : dot);
    else this.#run(node.otherwise, dot);
  }

  #range(node: Block, value: unknown, dot: unknown): void {
    const entries = placed(node.pipeline.place, () => elements(value));
    if (entries.length === 0) {
      this.#run(node.otherwise, dot);
      return;
    }
    const [first, second] = node.pipeline.declares;
    for (const [key, element] of entries) {
      if (second !== undefined) this.#declare(second, element);
      if (first !== undefined) this.#declare(first, second === undefined ? element : key);
      try {
        this.#inScope(() => this.#run(node.body, element));
      } catch (error) {
        if (!(error instanceof LoopEnd)) throw error;
        if (error.kind === "break") return;
      }
    }
  }

  #inScope(body: () => void): void {
    this.#scopes.push(new Map());
    try {
      body();
    } finally {
      this.#scopes.pop();
    }
  }

  #declare(name: string, value: unknown): void {
    this.#scopes.at(-1)?.set(name, value);
  }

  #scopeOf(name: string): Map<string, unknown> {
    const scope = this.#scopes.findLast((candidate) => candidate.has(name));
    if (scope === undefined) throw templateError(`undefined variable "$${name}"`);
    return scope;
  }

  #evaluate(pipeline: Pipeline, dot: unknown): unknown {
    let piped: readonly unknown[] = [];
    for (const command of pipeline.commands) piped = [this.#command(command, dot, piped)];
    return piped[0];
  }

  #command([head, ...operands]: readonly Operand[], dot: unknown, piped: readonly unknown[]): unknown {
    if (head === undefined) throw templateError("missing value for command");
    if (head.kind === "function") {
      return placed(placeOf([head, ...operands]), () => this.#call(head, operands, { dot, piped }));
    }
    if (head.kind === "constant" && head.value === null) {
      placed(head.place, () => {
        throw executionError("nil is not a command");
      });
    }
    const value = this.#operand(head, dot);
    // A field that takes arguments, such as `.Label "key"`.
    if (typeof value === "function")
      return (value as (...args: unknown[]) => unknown)(
        ...operands.map((operand) => this.#operand(operand, dot)),
        ...piped,
      );
    if (this.#options.headings) return value;
    const given = operands.length + piped.length;
    return placed(head.place, () => {
      if (given === 0) return value;
      const { text } = head.place;
      if (head.kind !== "field") throw executionError(`can't give argument to non-function ${text}`);
      throw executionError(`wrong number of args for ${head.names.at(-1)}: want 0 got ${given}`);
    });
  }

  #call(
    { name, place }: Extract<Operand, { kind: "function" }>,
    operands: readonly Operand[],
    given: { dot: unknown; piped: readonly unknown[] },
  ): unknown {
    const isLogic = name === "and" || name === "or";
    if (isLogic && operands.length + given.piped.length > 0) {
      let value: unknown;
      for (const argument of [
        ...operands.map((operand) => () => this.#operand(operand, given.dot)),
        ...given.piped.map((v) => () => v),
      ]) {
        value = argument();
        if (isTruth(value) === (name === "or")) return value;
      }
      return value;
    }
    const args = [...operands.map((operand) => this.#operand(operand, given.dot)), ...given.piped];
    // In a table's heading `{{json .Names}}` and `{{lower .State}}` are headings still.
    if (this.#options.headings) return args.find((arg) => typeof arg === "string") ?? "";
    return call(name, place, args);
  }

  #operand(operand: Operand, dot: unknown): unknown {
    if (operand.kind === "constant") return operand.value;
    return placed(operand.place, () => {
      if (operand.kind === "function") return this.#call(operand, [], { dot, piped: [] });
      if (operand.kind === "field") return this.#fields(dot, operand.names);
      if (operand.kind === "group") return this.#fields(this.#evaluate(operand.pipeline, dot), operand.names);
      return this.#fields(this.#scopeOf(operand.name).get(operand.name), operand.names);
    });
  }

  #fields(from: unknown, names: readonly string[]): unknown {
    let value = from;
    for (const [index, name] of names.entries()) {
      if (this.#options.headings && typeof value === "string") return value;
      value = fieldOf(value, name, names[index - 1]);
    }
    return value;
  }
}

/** The field that a pipeline prints, when it is nothing but one. */
function lastName({ commands }: Pipeline): string | undefined {
  const [[only, ...operands] = [], ...further] = commands;
  return only?.kind === "field" && operands.length + further.length === 0 ? only.names.at(-1) : undefined;
}

/** @param of the name of what has the field */
function fieldOf(value: unknown, name: string, of: string | undefined): unknown {
  if (value === null || value === undefined) throw executionError(`nil pointer evaluating interface {}.${name}`);
  if (typeof value !== "object" || Array.isArray(value)) {
    throw executionError(`can't evaluate field ${name} in type ${goType(value)}`);
  }
  const record = value as Record<string, unknown>;
  if (name in record) return record[name];
  // A map of the user's keys has no value for others; a field that may be absent is nil.
  if (of !== undefined && isMap(of)) return undefined;
  if (optional.has(name)) return null;
  // The Go types behind the API say ID where its JSON says Id.
  const alias = Object.keys(record).find((key) => key.toLowerCase() === name.toLowerCase());
  if (alias !== undefined && /^[A-Z]/.test(name)) return record[alias];
  if (isRow(record)) throw executionError(`can't evaluate field ${name} in type *formatter.Context`);
  throw executionError(`map has no entry for key ${JSON.stringify(name)}`);
}

/** What a range goes over: elements with their index, or values with their key in the keys' order. */
function elements(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return [...value.entries()];
  if (typeof value === "number") return Array.from({ length: value }, (_, index) => [index, index]);
  if (typeof value === "object") return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  throw executionError(`range can't iterate over ${goString(value)}`);
}

/** A row of a list knows how to become JSON by itself; the API's objects do not. */
function isRow(record: Record<string, unknown>): boolean {
  return typeof record.toJSON === "function";
}
