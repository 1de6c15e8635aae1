import type { Context } from "../context.ts";
import { type Created, createContainer } from "../life/create.ts";
import { waitInForeground } from "../life/foreground.ts";
import { killContainer, removeContainer } from "../life/remove.ts";
import { startContainer } from "../life/start.ts";
import { command, idOf } from "./command.ts";
import { creatingOptions, creatingRequest } from "./creating.ts";

export const run = command({
  name: "run",
  usage: "[options] CONTAINER",
  help: "create and start a container; unless detached, wait for its end and remove it",
  options: {
    ...creatingOptions,
    detach: { kind: "flag", short: "d", help: "do not wait for its end" },
    keep: { kind: "flag", help: "do not remove it when it has ended" },
    "no-subreaper": { kind: "flag", help: "for runc's sake: this runtime never is one" },
  },
  words: [1, 1],
  run: async (context, options, words) => {
    const created = await createContainer(context, creatingRequest(options, idOf(words), !options.detach));
    const status = await startAndWait(context, created, options.detach);
    if (!options.detach && !options.keep) await removeContainer(context, created.record);
    return status;
  },
});

async function startAndWait(context: Context, created: Created, detach: boolean): Promise<number> {
  const { record } = created;
  try {
    await startContainer(context, record);
    return detach ? 0 : await waitInForeground({ ...created, pid: record.pid });
  } catch (error) {
    await killContainer(record);
    await removeContainer(context, record);
    throw error;
  }
}
