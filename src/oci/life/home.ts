import type { Worker } from "../../kernel/worker.ts";
import { homeProgram } from "../../runtime/bundle/home.ts";
import type { ProcessSpec } from "../../runtime/types.ts";

/** HOME of a process that was given none, as runc sets it: what the container's /etc/passwd says of its user. */
export async function homeVariable(worker: Worker, root: string, { env, user }: ProcessSpec): Promise<string[]> {
  if (env.some((entry) => entry.startsWith("HOME="))) return [];
  const { program, homeOf } = homeProgram(root, user.uid);
  return [`HOME=${homeOf(await worker.run(program))}`];
}
