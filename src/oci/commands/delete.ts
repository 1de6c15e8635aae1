import { kindOf, SampanError } from "../../errors/index.ts";
import type { Context } from "../context.ts";
import { killContainer, removeContainer } from "../life/remove.ts";
import { statusOf } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { command, idOf } from "./command.ts";

export const remove = command({
  name: "delete",
  usage: "[options] CONTAINER",
  help: "remove what a stopped container has left",
  options: { force: { kind: "flag", short: "f", help: "kill it first; no error where there is none" } },
  words: [1, 1],
  run: async (context, { force }, words) => {
    const record = find(context, idOf(words), force);
    if (record === undefined) return 0;
    const status = statusOf(context.store, record);
    if (!force && (status === "running" || status === "paused"))
      throw new SampanError("conflict", `cannot delete container ${record.id} that is not stopped: ${status}`);
    if (status !== "stopped" && record.pid > 0) await killContainer(record);
    await removeContainer(context, record);
    return 0;
  },
});

/** A directory without a state is what a create has left that was killed. */
function find({ store }: Context, id: string, force: boolean): ContainerRecord | undefined {
  try {
    return store.read(id);
  } catch (error) {
    if (!force || kindOf(error) !== "not-found") throw error;
    store.remove(id);
    return undefined;
  }
}
