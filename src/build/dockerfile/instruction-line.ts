import { DockerfileError } from "./error.ts";
import { type FlagKind, Flags, type RawFlag, takeFlags } from "./flags.ts";
import type { LogicalLine } from "./lines.ts";
import type { Linter } from "./linter.ts";
import type { Text } from "./text.ts";
import type { Heredoc, InstructionBase, SourceFile, SourceRange } from "./types.ts";

/** What is the same for all instructions of a file. */
export interface FileContext {
  readonly source: SourceFile;
  readonly escape: "\\" | "`";
  readonly linter: Linter;
}

/** One instruction, cut into keyword, flags and the rest; what the parser of each instruction works with. */
export class InstructionLine {
  readonly keyword: Text;
  /** Without flags and the spaces around. */
  readonly rest: Text;
  readonly heredocs: readonly Heredoc[];
  readonly file: FileContext;
  readonly base: InstructionBase;
  readonly #flags: readonly RawFlag[];

  constructor(line: Pick<LogicalLine, "text" | "range" | "comments" | "heredocs">, file: FileContext) {
    const keyword = /^[^\t\v\f\r ]*/.exec(line.text.value)?.[0] ?? "";
    const { flags, rest } = takeFlags(line.text.slice(keyword.length), file.escape);
    this.keyword = line.text.slice(0, keyword.length);
    this.rest = rest.trim();
    this.heredocs = line.heredocs;
    this.file = file;
    this.base = { range: line.range, original: line.text.value, comments: line.comments };
    this.#flags = flags;
  }

  /** The keyword in capitals. */
  get name(): string {
    return this.keyword.value.toUpperCase();
  }

  /** The flags, checked against those that the instruction knows. */
  flags(known: Readonly<Record<string, FlagKind>> = {}): Flags {
    return new Flags(this.#flags, known, this.file.source);
  }

  /** The whole rest as one argument. */
  oneArgument(): Text {
    if (this.rest.length === 0) throw this.fail(`${this.name} requires exactly one argument`);
    return this.rest;
  }

  /** Refuses an instruction without any argument. */
  someArguments(): Text {
    if (this.rest.length === 0) throw this.fail(`${this.name} requires at least one argument`);
    return this.rest;
  }

  /** What is wrong with the instruction, shown at a part of it. */
  fail(reason: string, range: SourceRange = this.base.range): DockerfileError {
    return new DockerfileError(reason, this.file.source, range);
  }
}
