import { SampanError } from "../../errors/index.ts";

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

/** A step has failed; `cause` says why. */
export class StepFailed extends SampanError {
  readonly step: string;
  readonly line: number;

  constructor(step: { readonly id: string; readonly line: number }, cause: SampanError) {
    super(cause.kind, cause.message, { cause });
    this.name = "StepFailed";
    this.step = step.id;
    this.line = step.line;
  }
}
