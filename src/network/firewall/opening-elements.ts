import { bridgeSettings } from "../drivers/bridge-settings.ts";
import type { Suffix } from "../drivers/names.ts";
import type { ContainerNetworking } from "../host/types.ts";
import type { RuleElement } from "./elements.ts";

/**
 * What a container is let to of others, as elements of our set; none on bridges whose containers reach each other anyway.
 * IPv4 alone, as with dockerd.
 */
export function openingElements({ connections, openings = [] }: ContainerNetworking, suffix: Suffix): RuleElement[] {
  const elements = openings.flatMap(({ networkId, address, protocol, port }): RuleElement[] => {
    const { network, endpoint } = connections.find((connection) => connection.network.id === networkId) ?? {};
    const own = endpoint?.ipv4?.address;
    if (network?.driver !== "bridge" || own === undefined || bridgeSettings(network, suffix).icc) return [];
    return [{ set: "linked4", key: [own, address, protocol, port] }];
  });
  return [...new Map(elements.map((element) => [JSON.stringify(element.key), element])).values()];
}
