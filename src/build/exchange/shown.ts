import type { Progress } from "../../images/types.ts";
import { asStep } from "../progress/as-step.ts";
import type { BuildEvent } from "../progress/types.ts";

type Emit = (event: BuildEvent) => void;

/** Work around the steps of a Dockerfile, told of as a step; undefined when it has failed and may. */
export async function shownStep<Result>(
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
  { id, name, mayFail }: { readonly id: string; readonly name: string; mayFail(error: unknown): boolean },
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await asStep(emit, { id, name }, work);
  } catch (error) {
    if (signal.aborted || !mayFail(error)) throw error;
    return undefined;
  }
}

/** Passes lines about layers on as those of a step. */
export function statusOf(step: string, emit: Emit): (line: Progress) => void {
  const started = Date.now();
  return ({ id, status, current, total }) => {
    if (id === undefined || current === undefined) return;
    emit({ type: "status", step, id: `${status} ${id}`, started, current, ...(total !== undefined && { total }) });
  };
}
