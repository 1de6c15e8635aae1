import type { BuildEvent, ErrorEvent, LintEvent, ResultEvent } from "../../api/shapes/build.ts";
import type { BuildAnswer } from "../../client/build/event-stream.ts";
import type { Context } from "../context.ts";
import { ExitError } from "../errors.ts";
import type { BuildProgress } from "./progress/choose.ts";
import type { Step } from "./progress/steps.ts";

/** How a build went well. */
export interface Built {
  readonly result: ResultEvent;
  readonly lints: readonly LintEvent[];
  /** Whether an archive follows. */
  readonly hasOutput: boolean;
}

/** Shows a build to its end; throws ExitError when it fails, after what is known of the failure was shown. */
export async function followBuild(context: Context, answer: BuildAnswer, progress: BuildProgress): Promise<Built> {
  const lints: LintEvent[] = [];
  let result: ResultEvent | undefined;
  let failure: ErrorEvent | undefined;
  let hasOutput = false;
  const take = (event: BuildEvent): void => {
    progress.event(event);
    if (event.type === "lint") lints.push(event);
    else if (event.type === "result") result = event;
    else if (event.type === "error") failure = event;
    else if (event.type === "output") hasOutput = true;
  };
  try {
    for await (const event of answer.events()) take(event);
  } finally {
    progress.end();
  }
  if (failure !== undefined) throw failed(context, failure, progress);
  if (result === undefined)
    throw new ExitError(1, "ERROR: the daemon went away in the middle of the build", "unavailable");
  return { result, lints, hasOutput };
}

function failed(context: Context, failure: ErrorEvent, progress: BuildProgress): ExitError {
  const step = failure.step === undefined ? undefined : progress.step(failure.step);
  if (step !== undefined) context.stderr.write(lastWords(step));
  return new ExitError(1, `ERROR: ${failure.message}`, failure.kind);
}

/** The end of a failed step's output, framed as BuildKit frames it. */
function lastWords({ name, tail }: Step): string {
  if (tail.length === 0) return "";
  return `------\n > ${name}:\n${tail.map((line) => `${line}\n`).join("")}------\n`;
}
