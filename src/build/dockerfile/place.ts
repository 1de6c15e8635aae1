/** A place in a source file. Lines and columns start at 1; columns count UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A stretch of a source file; `end` is the place after the last character. */
export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}

/** What a lint found; `rule` is BuildKit's name of it. */
export interface Lint {
  readonly rule: string;
  readonly description: string;
  readonly url: string;
  readonly message: string;
  readonly range: SourceRange;
}
