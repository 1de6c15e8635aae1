import { kindOf } from "../../errors/index.ts";
import type { Events } from "../events/log.ts";
import type { Containers, ContainerView, PrunedContainers } from "../types.ts";

/** Removes the containers that do not run and are wanted away. One that somebody has started or removed meanwhile is his. */
export async function pruneContainers(
  containers: Containers,
  events: Events,
  wanted: (container: ContainerView) => boolean,
): Promise<PrunedContainers> {
  const idle = containers.list({ all: true, filters: { status: ["created", "exited", "dead"] } });
  const ids: string[] = [];
  let reclaimed = 0;
  for (const { id } of idle.filter(wanted)) {
    try {
      const { rw } = await containers.sizes(id);
      await containers.remove(id);
      ids.push(id);
      reclaimed += rw;
    } catch (error) {
      if (!["conflict", "not-found"].includes(kindOf(error))) throw error;
    }
  }
  events.pruned("container", reclaimed);
  return { ids, reclaimed };
}
