import type { ErrorKind } from "../errors/index.ts";
import { SampanError } from "../errors/index.ts";

/** The exit code of everything that went wrong before or around a container, as docker has it. */
export const engineFailure = 125;

/** A command line that cannot be understood: printed with the command's usage line, exit code 125 (flags) or 1. */
export class UsageError extends SampanError {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = engineFailure) {
    super("invalid", message);
    this.name = "UsageError";
    this.exitCode = exitCode;
  }
}

/** A failure that ends the command with an exit code of its own. An empty message prints nothing. */
export class ExitError extends SampanError {
  readonly exitCode: number;

  constructor(exitCode: number, message = "", kind: ErrorKind = "invalid") {
    super(kind, message);
    this.name = "ExitError";
    this.exitCode = exitCode;
  }
}

/** A malformed value; the option that received it adds its own name to the message. */
export function invalid(message: string): SampanError {
  return new SampanError("invalid", message);
}
