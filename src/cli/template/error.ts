import { ExitError } from "../errors.ts";

/** A template that cannot be used; exit code 64 as docker's. */
export function templateError(message: string): ExitError {
  return new ExitError(64, `template parsing error: template: :1: ${message}`);
}

/** A template that failed while it was being filled in. */
export function executionError(message: string): ExitError {
  return new ExitError(1, `template parsing error: template: :1: executing "": ${message}`);
}
