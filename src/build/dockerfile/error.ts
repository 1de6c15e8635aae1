import { SampanError } from "../../errors/index.ts";
import { excerpt } from "./source.ts";
import type { SourceFile, SourceRange } from "./types.ts";

/** A Dockerfile that cannot be built; the message names the place and shows it. */
export class DockerfileError extends SampanError {
  /** The message without place and excerpt. */
  readonly reason: string;
  readonly source: SourceFile;
  readonly range: SourceRange;

  constructor(reason: string, source: SourceFile, range: SourceRange, options?: ErrorOptions) {
    const { line, column } = range.start;
    super("invalid", `${source.name}:${line}:${column}: ${reason}\n${excerpt(source, range)}`, options);
    this.name = "DockerfileError";
    this.reason = reason;
    this.source = source;
    this.range = range;
  }
}
