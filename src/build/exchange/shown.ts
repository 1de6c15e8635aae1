import { messageOf } from "../../errors/index.ts";
import type { Progress } from "../../images/types.ts";
import type { BuildEvent } from "../progress/types.ts";

type Emit = (event: BuildEvent) => void;

/** Work around the steps of a Dockerfile, told of as a step; undefined when it has failed and may. */
export async function shownStep<Result>(
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
  { id, name, mayFail }: { readonly id: string; readonly name: string; mayFail(error: unknown): boolean },
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const shown = { type: "step" as const, id, name, started: Date.now() };
  emit(shown);
  try {
    const result = await work();
    emit({ ...shown, completed: Date.now() });
    return result;
  } catch (error) {
    emit({ ...shown, completed: Date.now(), error: messageOf(error) });
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
