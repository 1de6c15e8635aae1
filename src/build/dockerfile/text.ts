import type { Position, SourceRange, Word } from "./types.ts";

/** From `at` on (an offset in the joined text), characters come from this place in the file. */
interface Origin {
  readonly at: number;
  readonly position: Position;
}

/**
 * A stretch of text that knows where in the file each of its characters stands: an instruction is joined out of several
 * lines, and its parts are slices of slices.
 */
export class Text {
  readonly value: string;
  readonly #origins: readonly Origin[];
  readonly #start: number;

  private constructor(value: string, origins: readonly Origin[], start: number) {
    this.value = value;
    this.#origins = origins;
    this.#start = start;
  }

  /** Joins pieces of lines; at least one. */
  static join(pieces: readonly { readonly text: string; readonly position: Position }[]): Text {
    const origins: Origin[] = [];
    let value = "";
    for (const { text, position } of pieces) {
      origins.push({ at: value.length, position });
      value += text;
    }
    return new Text(value, origins, 0);
  }

  get length(): number {
    return this.value.length;
  }

  /** As `String.slice`, with offsets that are not negative. */
  slice(from: number, to: number = this.value.length): Text {
    return new Text(this.value.slice(from, to), this.#origins, this.#start + Math.min(from, this.value.length));
  }

  trimStart(): Text {
    return this.slice(this.value.length - this.value.trimStart().length);
  }

  trim(): Text {
    const rest = this.trimStart();
    return rest.slice(0, rest.value.trimEnd().length);
  }

  /** Where the text stands; for an empty one, the place itself. */
  get range(): SourceRange {
    const start = this.#position(this.#start);
    if (this.length === 0) return { start, end: start };
    const last = this.#position(this.#start + this.length - 1);
    return { start, end: { line: last.line, column: last.column + 1 } };
  }

  /** The text as a word; `raw` where quotes or escapes are already gone. */
  word(raw: string = this.value): Word {
    return { raw, range: this.range };
  }

  #position(offset: number): Position {
    const origin = this.#origins.findLast(({ at }) => at <= offset) ?? this.#origins[0];
    if (origin === undefined) return { line: 1, column: 1 };
    return { line: origin.position.line, column: origin.position.column + offset - origin.at };
  }
}
