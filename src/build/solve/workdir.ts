import { Destination } from "../files/destination.ts";
import type { WorkdirVertex } from "../plan/types.ts";
import type { Job } from "./job.ts";
import { ownerOf } from "./owner.ts";
import { timeOf } from "./time.ts";
import type { Workspace } from "./workspace.ts";

/** WORKDIR: the directory is there afterwards; a new one belongs to the user of the stage. */
export async function makeWorkdir(job: Job, { path, user }: WorkdirVertex, workspace: Workspace): Promise<void> {
  const owner = user === "" ? undefined : await ownerOf(job, user, workspace);
  const session = await workspace.enter(`make ${path}`);
  try {
    const rewriting = { owner, mode: (mode: number) => mode };
    await new Destination(session, `make ${path}`, rewriting, timeOf(job)).makeDirectory(path);
  } finally {
    session.close();
  }
}
