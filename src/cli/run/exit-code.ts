import { ApiError } from "../../client/api-error.ts";
import { SampanError } from "../../errors/index.ts";
import { describe } from "../describe.ts";
import { ExitError, engineFailure } from "../errors.ts";

/**
 * An error of `run` or `start` as docker ends with it: 127 when the command is not there, 126 when it cannot be executed,
 * 125 for everything else that went wrong before the container ran.
 */
export function containerFailure(command: string, error: unknown): ExitError {
  if (error instanceof ExitError) return error;
  if (!(error instanceof SampanError)) throw error;
  const message = `sampan: ${describe(error)}\n\nRun 'sampan ${command} --help' for more information`;
  return new ExitError(codeOf(error), message, error.kind);
}

function codeOf(error: SampanError): number {
  if (!(error instanceof ApiError)) return engineFailure;
  if (/executable file not found|no such file or directory/i.test(error.message)) return 127;
  return /permission denied|is a directory/i.test(error.message) ? 126 : engineFailure;
}
