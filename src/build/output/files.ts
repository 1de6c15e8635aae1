import { formatPlatform } from "../../images/platform.ts";
import type { Platform } from "../../images/types.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import { tarEnd } from "../../storage/tar/writer.ts";
import type { Job } from "../solve/job.ts";
import { emptyStack, type Stack } from "../solve/stack.ts";
import { Workspace } from "../solve/workspace.ts";
import type { OutputStream } from "../types.ts";

/** A tree that is read, until it is closed. */
interface OpenedTree {
  readonly reader: TreeReader;
  /** Its directory in the archive; "" is the top. */
  readonly as: string;
}

/**
 * All files of a build's results as a tar archive. Those of several platforms are in a directory for each, called as BuildKit
 * does: "linux_amd64", "linux_arm_v7".
 */
export async function filesOf({ parts, plan }: Job, stacks: readonly Stack[]): Promise<OutputStream> {
  const open = new AsyncDisposableStack();
  try {
    const trees: OpenedTree[] = [];
    for (const [index, { target }] of plan.results.entries()) {
      const workspace = open.use(await Workspace.open(parts, stacks[index] ?? emptyStack));
      const purpose = "read the files of the result";
      const session = await workspace.enter(purpose);
      open.defer(() => session.close());
      trees.push({ reader: new TreeReader(session, purpose), as: stacks.length > 1 ? directoryOf(target) : "" });
    }
    return {
      [Symbol.asyncIterator]: () => packTrees(trees),
      [Symbol.asyncDispose]: () => open.disposeAsync(),
    };
  } catch (error) {
    await open.disposeAsync();
    throw error;
  }
}

function directoryOf(platform: Platform): string {
  return formatPlatform(platform).replaceAll("/", "_");
}

async function* packTrees(trees: readonly OpenedTree[]): AsyncGenerator<Uint8Array> {
  for (const { reader, as } of trees) {
    const options = { from: "", as, withTop: as !== "", entersMount: () => false, isUpper: false, continues: true };
    yield* packTree(reader, options);
  }
  yield tarEnd;
}
