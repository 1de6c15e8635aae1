import type { Endpoint, NetworkRecord } from "../../network/types.ts";
import type { Container } from "../container/live.ts";
import type { Events } from "../events/log.ts";
import type { EngineParts } from "../parts.ts";

/** Tells that something happened to a network, with the attributes Docker gives. */
export function networkEvent(
  events: Events,
  { id, name, driver }: Pick<NetworkRecord, "id" | "name" | "driver">,
  action: "create" | "connect" | "disconnect" | "destroy",
  more: Readonly<Record<string, string>> = {},
): void {
  events.emit("network", action, id, { ...more, name, type: driver });
}

/** The same for each of a container's endpoints. */
export function endpointEvents(
  { events, networking }: EngineParts,
  { id: container }: Pick<Container, "id">,
  action: "connect" | "disconnect",
  endpoints: readonly Endpoint[],
): void {
  for (const { networkId } of endpoints) {
    const network = networking.find(networkId);
    if (network !== undefined) networkEvent(events, network, action, { container });
  }
}
