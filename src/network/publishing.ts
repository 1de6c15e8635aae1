import { gatewayOf } from "./drivers/gateway.ts";
import type { Connection } from "./host/types.ts";
import { Ports } from "./ports/ports.ts";
import type { PortRequest } from "./ports/types.ts";
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
    const [v4, v6] = ([4, 6] as const).map((family) => {
      const leading = gatewayOf(connections, family);
      return leading?.network.driver === "bridge" ? leading : undefined;
    });
    const { network, endpoint } = v4 ?? v6 ?? {};
    if (requests.length === 0 || network === undefined || endpoint === undefined) return [];
    const usual = network.options[option.hostBinding];
    return this.#ports.allocate(requests, {
      endpointName: name,
      endpointId: endpoint.id,
      ipv4: v4 !== undefined,
      ipv6: v6 !== undefined,
      routed4: v4?.network.options[option.gatewayMode4] === "routed",
      routed6: v6?.network.options[option.gatewayMode6] === "routed",
      ...(usual && { defaultHostAddress: usual }),
    });
  }

  release(ports: readonly PublishedPort[]): void {
    this.#ports.release(ports);
  }

  /** Takes again what running containers have. */
  restore(ports: readonly PublishedPort[]): void {
    this.#ports.restore(ports);
  }
}
