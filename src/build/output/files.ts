import { packTree } from "../../storage/pack/pack.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import type { Job } from "../solve/job.ts";
import type { Stack } from "../solve/stack.ts";
import { Workspace } from "../solve/workspace.ts";
import type { OutputStream } from "../types.ts";

/** All files of a build's result as a tar archive. */
export async function filesOf({ parts }: Job, stack: Stack): Promise<OutputStream> {
  const workspace = await Workspace.open(parts, stack);
  try {
    const purpose = "read the files of the result";
    const session = await workspace.enter(purpose);
    const tree = packTree(new TreeReader(session, purpose), {
      from: "",
      as: "",
      withTop: false,
      entersMount: () => false,
      isUpper: false,
    });
    return {
      [Symbol.asyncIterator]: () => tree[Symbol.asyncIterator](),
      async [Symbol.asyncDispose]() {
        session.close();
        await workspace[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}
