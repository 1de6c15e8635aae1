import { messageOf } from "../../errors/index.ts";
import type { BuildEvent } from "./types.ts";

/** Tells of work beside the Dockerfile's instructions as a step: `[internal] load …`. It is given what tells a line of output. */
export async function asStep<Result>(
  emit: (event: BuildEvent) => void,
  { id, name }: { readonly id: string; readonly name: string },
  work: (tell: (line: string) => void) => Promise<Result>,
): Promise<Result> {
  const shown = { type: "step" as const, id, name, started: Date.now() };
  emit(shown);
  try {
    const result = await work((line) => emit({ type: "log", step: id, stream: "stderr", data: `${line}\n` }));
    emit({ ...shown, completed: Date.now() });
    return result;
  } catch (error) {
    emit({ ...shown, completed: Date.now(), error: messageOf(error) });
    throw error;
  }
}
