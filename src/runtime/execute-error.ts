import { SampanError } from "../errors/index.ts";
import { type Errno, errnoNumber, errnoText } from "../kernel/errno.ts";
import type { ProcessSpec } from "./types.ts";

/** The user's program could not be executed; docker's exit code for that is 127 where it is missing and 126 where it may not be. */
export class ExecuteError extends SampanError {
  readonly exitCode: 126 | 127;

  constructor(process: Pick<ProcessSpec, "argv">, cause: { readonly errno?: Errno | undefined }) {
    const command = process.argv[0] ?? "";
    const missing = cause.errno === "ENOENT" || cause.errno === "ENOTDIR";
    const why =
      missing && !command.includes("/")
        ? "executable file not found in $PATH"
        : errnoText(errnoNumber(cause.errno ?? "ENOENT"));
    super("invalid", `unable to start container process: exec: ${JSON.stringify(command)}: ${why}`, { cause });
    this.name = "ExecuteError";
    this.exitCode = missing ? 127 : 126;
  }
}
