import type { Connection } from "../host/types.ts";

type Family = 4 | 6;

/** The gateway of an endpoint in its network; absent on internal networks, where there is none for containers. */
export function gatewayAddress({ network, endpoint }: Connection, family: Family): string | undefined {
  if (network.internal) return undefined;
  return (family === 4 ? endpoint.ipv4 : endpoint.ipv6)?.gateway;
}

/**
 * The connection that leads to the rest of the world, and at which ports are published: that of the highest gateway
 * priority, then the first by the network's name, as dockerd has it. Undefined where none does.
 */
export function gatewayOf(connections: readonly Connection[], family: Family): Connection | undefined {
  let best: Connection | undefined;
  for (const connection of connections) {
    if (!leadsOut(connection, family)) continue;
    if (best === undefined || comesBefore(connection, best)) best = connection;
  }
  return best;
}

function leadsOut(connection: Connection, family: Family): boolean {
  const { network, endpoint } = connection;
  const address = family === 4 ? endpoint.ipv4 : endpoint.ipv6;
  if (address === undefined || network.internal) return false;
  return address.gateway !== undefined || isLayer3(connection);
}

/** ipvlan in the modes l3 and l3s routes by itself: the link is the default route. */
export function isLayer3({ network }: Pick<Connection, "network">): boolean {
  return network.driver === "ipvlan" && (network.options.ipvlan_mode ?? "").startsWith("l3");
}

function comesBefore(a: Connection, b: Connection): boolean {
  const priority = a.endpoint.gatewayPriority - b.endpoint.gatewayPriority;
  return priority !== 0 ? priority > 0 : a.network.name < b.network.name;
}
