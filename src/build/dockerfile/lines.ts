import { DockerfileError } from "./error.ts";
import { type HeredocMark, readHeredocMarks } from "./heredoc.ts";
import { Text } from "./text.ts";
import type { Heredoc, Position, SourceFile, SourceRange } from "./types.ts";

/** An instruction as lines: joined, without comments and line ends, with the heredocs that follow it. */
export interface LogicalLine {
  readonly text: Text;
  readonly range: SourceRange;
  /** Comment lines directly above, without `#`; an empty comment begins them anew. */
  readonly comments: readonly string[];
  readonly heredocs: readonly Heredoc[];
  /** The line on which a continuation was empty: an error one day, a lint now. */
  readonly emptyContinuation: number | undefined;
}

/** Whether a line may be followed by heredocs; the reader joins lines but does not know instructions. */
type TakesHeredocs = (line: Text) => boolean;

/** Cuts a file into instructions. Lines of `raw` have their line ends, because heredocs keep them. */
export class LineReader {
  readonly #source: SourceFile;
  readonly #raw: readonly string[];
  readonly #continuation: RegExp;
  readonly #takesHeredocs: TakesHeredocs;
  #next: number;

  constructor(
    source: SourceFile,
    options: {
      readonly raw: readonly string[];
      readonly escape: "\\" | "`";
      /** How many lines at the top were directives. */
      readonly skip: number;
      readonly takesHeredocs: TakesHeredocs;
    },
  ) {
    this.#source = source;
    this.#raw = options.raw;
    // The escape character at the end of a line continues it, unless it is itself escaped.
    const escaper = options.escape === "\\" ? "\\\\" : "`";
    this.#continuation = new RegExp(`(^|[^${escaper}])${escaper}[ \\t]*$`);
    this.#takesHeredocs = options.takesHeredocs;
    this.#next = options.skip;
  }

  /** The next instruction; undefined at the end. */
  read(): LogicalLine | undefined {
    let comments: string[] = [];
    for (;;) {
      const line = this.#line();
      if (line === undefined) return undefined;
      const comment = /^\s*#\s*(.*?)\s*$/.exec(line.text)?.[1];
      if (comment !== undefined) comments = comment === "" ? [] : [...comments, comment];
      else if (line.text.trim() !== "") return this.#instruction(line, comments);
    }
  }

  #line(): { readonly text: string; readonly position: Position } | undefined {
    const raw = this.#raw[this.#next];
    if (raw === undefined) return undefined;
    this.#next++;
    return { text: raw.replace(/[\r\n]+$/, ""), position: { line: this.#next, column: 1 } };
  }

  #instruction(first: { text: string; position: Position }, comments: readonly string[]): LogicalLine {
    const pieces = [this.#piece(first)];
    let emptyContinuation: number | undefined;
    while (pieces.at(-1)?.goesOn === true) {
      const line = this.#line();
      if (line === undefined) break;
      if (/^\s*#/.test(line.text)) pieces.push({ ...this.#piece({ ...line, text: "" }), goesOn: true });
      else if (line.text.trim() === "") {
        emptyContinuation = line.position.line;
        pieces.push({ ...this.#piece({ ...line, text: "" }), goesOn: true });
      } else pieces.push(this.#piece(line));
    }
    const joined = Text.join(pieces.filter(({ text }) => text !== ""));
    const text = joined.trim();
    const heredocs = this.#takesHeredocs(text) ? readHeredocMarks(text).map((mark) => this.#heredoc(mark)) : [];
    const range = { start: text.range.start, end: this.#endOf(text, heredocs) };
    return { text, range, comments, heredocs, emptyContinuation };
  }

  #piece({ text, position }: { text: string; position: Position }): {
    text: string;
    position: Position;
    goesOn: boolean;
  } {
    const goesOn = this.#continuation.test(text);
    return { text: goesOn ? text.replace(this.#continuation, "$1") : text, position, goesOn };
  }

  #heredoc({ mark, name, expand, stripTabs, descriptor }: HeredocMark): Heredoc {
    let lines = "";
    for (;;) {
      const raw = this.#raw[this.#next];
      if (raw === undefined) {
        throw new DockerfileError(`unterminated heredoc, ${name} is missing`, this.#source, mark.range);
      }
      this.#next++;
      const bare = raw.replace(/[\r\n]+$/, "");
      if ((stripTabs ? bare.replace(/^\t+/, "") : bare) === name) break;
      lines += raw;
    }
    const content = stripTabs ? lines.replace(/^\t+/gm, "") : lines;
    return { name, content, raw: lines, expand, stripTabs, descriptor, range: mark.range };
  }

  #endOf(text: Text, heredocs: readonly Heredoc[]): Position {
    if (heredocs.length === 0) return text.range.end;
    const last = this.#raw[this.#next - 1] ?? "";
    return { line: this.#next, column: last.replace(/[\r\n]+$/, "").length + 1 };
  }
}
