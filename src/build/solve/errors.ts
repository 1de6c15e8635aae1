import { SampanError } from "../../errors/index.ts";
import { excerpt } from "../dockerfile/index.ts";
import type { SourceFile, SourceRange } from "../dockerfile/types.ts";
import type { Step } from "../plan/types.ts";

/** The command of a RUN has failed. */
export class CommandFailed extends SampanError {
  readonly argv: readonly string[];
  readonly exitCode: number;

  constructor(argv: readonly string[], exitCode: number) {
    super("invalid", `process ${JSON.stringify(argv.join(" "))} did not complete successfully: exit code: ${exitCode}`);
    this.name = "CommandFailed";
    this.argv = argv;
    this.exitCode = exitCode;
  }
}

/** A step has failed; the message shows where it stands in the Dockerfile, `cause` says why. */
export class StepFailed extends SampanError {
  /** The id of its events. */
  readonly step: string;
  readonly source: SourceFile;
  readonly range: SourceRange;

  constructor(id: string, { range }: Pick<Step, "range">, source: SourceFile, cause: SampanError) {
    const { line, column } = range.start;
    super(cause.kind, `${source.name}:${line}:${column}: ${cause.message}\n${excerpt(source, range)}`, { cause });
    this.name = "StepFailed";
    this.step = id;
    this.source = source;
    this.range = range;
  }
}
