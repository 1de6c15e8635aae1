import { isIPv6 } from "node:net";
import { SampanError } from "../../errors/index.ts";
import type { Endpoint } from "../../network/types.ts";
import { hostGateway, parseExtraHost } from "../files/hosts.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";

/** Whether a container is told the default bridge's address, which then has to be there. */
export function knowsDefaultBridge({ networkDefaults }: EngineParts, { hostConfig }: ContainerRecord): boolean {
  if (networkDefaults.hostGatewayIps.length > 0 || hostConfig.NetworkMode === "host") return false;
  return (hostConfig.ExtraHosts ?? []).some((text) => parseExtraHost(text).address === hostGateway);
}

/** What `host-gateway` stands for in networks of the machine's: what the daemon was told, else the default bridge's own addresses. */
export function machineAddresses({
  networkDefaults,
  networking,
}: Pick<EngineParts, "networkDefaults" | "networking">): readonly string[] {
  if (networkDefaults.hostGatewayIps.length > 0) return networkDefaults.hostGatewayIps;
  const gateways = networking.find("bridge")?.subnets.map(({ gateway }) => gateway) ?? [];
  return gateways.filter((gateway) => gateway !== undefined);
}

/**
 * Addresses by which a container reaches the machine: what the daemon was told, else the default bridge's, as with dockerd:
 * servers of the machine listen there for containers of all networks. Where there is none, its own gateway.
 */
export function gatewayAddresses(
  parts: EngineParts,
  { hostConfig }: ContainerRecord,
  endpoints: readonly Endpoint[],
): readonly string[] {
  const usual = machineAddresses(parts);
  if (parts.networkDefaults.hostGatewayIps.length > 0) return usual;
  const own = endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4?.gateway, ipv6?.gateway]);
  const found = [...usual, ...own].filter((gateway) => gateway !== undefined);
  if (hostConfig.NetworkMode === "host") return ["127.0.0.1"];
  const addresses = [found.find((address) => !isIPv6(address)), found.find((address) => isIPv6(address))];
  const there = addresses.filter((address) => address !== undefined);
  if (there.length > 0) return there;
  throw new SampanError("invalid", "unable to derive the IP value for host-gateway");
}
