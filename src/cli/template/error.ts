import { ExitError } from "../errors.ts";

/** A template that cannot be read or filled in, in the words of Go's text/template. */
export class TemplateError extends ExitError {
  /** Without what docker puts in front of it. */
  readonly detail: string;
  readonly phase: "parse" | "execute";
  /** Whether the place is told: the innermost is. */
  readonly located: boolean;

  constructor(phase: TemplateError["phase"], detail: string, located: boolean) {
    super(phase === "parse" ? 64 : 1, `template parsing error: ${detail}`);
    this.phase = phase;
    this.detail = detail;
    this.located = located;
  }

  /** As docker's lists tell it, which is another way than that of `inspect`. */
  forList(): ExitError {
    return new ExitError(1, `failed to ${this.phase} template: ${this.detail}`);
  }
}

/** A template that cannot be used; exit code 64 as docker's. */
export function templateError(message: string): TemplateError {
  return new TemplateError("parse", `template: :1: ${message}`, true);
}

/** A template that failed while it was being filled in. */
export function executionError(message: string): TemplateError {
  return new TemplateError("execute", message, false);
}

/** A part of a template: what was written, and where, as Go counts: lines from 1, columns from 0. */
export interface Place {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** Runs what may fail at a place of the template, and adds the place to its error. */
export function placed<T>({ text, line, column }: Place, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof TemplateError) || error.located) throw error;
    const detail = `template: :${line}:${column}: executing "" at <${text}>: ${error.detail}`;
    throw new TemplateError("execute", detail, true);
  }
}
