import type { EngineEvent } from "../../engine/types.ts";
import type { EventMessage } from "../shapes/event.ts";

/**
 * One line of GET /events, without its end. `timeNano` has more digits than a JavaScript number holds, so it is put in
 * as text.
 */
export function eventJson(event: EngineEvent): string {
  const { type, action, actor, timeNano } = event;
  // What clients before API 1.22 knew. The docker CLI before version 25 still reads it.
  const old =
    type === "container" || type === "image"
      ? {
          status: action,
          ...(actor.id ? { id: actor.id } : {}),
          ...(actor.attributes.image ? { from: actor.attributes.image } : {}),
        }
      : {};
  const message: Omit<EventMessage, "timeNano"> = {
    ...old,
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: "local",
    time: Number(timeNano / 1_000_000_000n),
  };
  const text = JSON.stringify(message);
  return `${text.slice(0, -1)},"timeNano":${timeNano}}`;
}
