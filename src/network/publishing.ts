import type { SampanError } from "../errors/index.ts";
import { gatewayOf } from "./drivers/gateway.ts";
import { portError } from "./host/reservations.ts";
import type { Connection } from "./host/types.ts";
import { publishError } from "./ports/errors.ts";
import { isFlexible, Ports } from "./ports/ports.ts";
import type { PortRequest, PublishTarget } from "./ports/types.ts";
import { option } from "./records/driver-options.ts";
import type { PublishedPort } from "./types.ts";

/** Where the machine answers for containers: the ports that they have, by the networks that lead to them. */
export class Publishing {
  readonly #ports = new Ports();

  /**
   * Decides where the machine answers for a container. Nothing is published where no bridge leads out: with macvlan and
   * ipvlan the container itself is on the machine's network. Throws dockerd's texts when a port is taken.
   */
  allocate(requests: readonly PortRequest[], connections: readonly Connection[], name: string): PublishedPort[] {
    const target = requests.length === 0 ? undefined : targetOf(connections, name);
    return target ? this.#ports.allocate(requests, target) : [];
  }

  /** What was allocated, with another port in place of the last of `refused`: those that other processes have. Undefined: there is none. */
  another(
    requests: readonly PortRequest[],
    connections: readonly Connection[],
    name: string,
    { ports, refused }: { readonly ports: readonly PublishedPort[]; readonly refused: readonly PublishedPort[] },
  ): PublishedPort[] | undefined {
    const target = targetOf(connections, name);
    const taken = refused.at(-1);
    if (!target || !taken || !isFlexible(requests, taken)) return undefined;
    this.#ports.undo(ports);
    try {
      return this.#ports.allocate(requests, target, refused);
    } catch {
      this.#ports.restore(ports);
      return undefined;
    }
  }

  release(ports: readonly PublishedPort[]): void {
    this.#ports.release(ports);
  }

  /** Takes again what running containers have. */
  restore(ports: readonly PublishedPort[]): void {
    this.#ports.restore(ports);
  }
}

/** What of a container is published: its endpoints with the default routes, when they are on bridges. */
function targetOf(connections: readonly Connection[], name: string): PublishTarget | undefined {
  const [v4, v6] = ([4, 6] as const).map((family) => {
    const leading = gatewayOf(connections, family);
    return leading?.network.driver === "bridge" ? leading : undefined;
  });
  const { network, endpoint } = v4 ?? v6 ?? {};
  if (network === undefined || endpoint === undefined) return undefined;
  const usual = network.options[option.hostBinding];
  return {
    endpointName: name,
    endpointId: endpoint.id,
    ipv4: v4 !== undefined,
    ipv6: v6 !== undefined,
    routed4: v4?.network.options[option.gatewayMode4] === "routed",
    routed6: v6?.network.options[option.gatewayMode6] === "routed",
    ...(usual && { defaultHostAddress: usual }),
  };
}

/** dockerd's words for a start that failed because a port of the machine was not to be had; undefined for other errors. */
export function explainPort(error: unknown, connections: readonly Connection[], name: string): SampanError | undefined {
  const reason = portError(error);
  const target = targetOf(connections, name);
  return reason && target && publishError(target, reason.message);
}
