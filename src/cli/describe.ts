import { ApiError } from "../client/api-error.ts";
import { messageOf } from "../errors/index.ts";

/** An error in one line, telling what the daemon said from what the command line says. */
export function describe(error: unknown): string {
  return error instanceof ApiError ? `Error response from daemon: ${error.message}` : messageOf(error);
}
