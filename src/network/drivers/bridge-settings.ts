import { option, parseBoolean } from "../records/driver-options.ts";
import type { NetworkRecord } from "../types.ts";
import { bridgeNameOfId, defaultBridgeName, type Suffix } from "./names.ts";

/**
 * Who reaches containers from outside, and as whom they leave. "nat": by published ports, with the machine's address.
 * "nat-unprotected": by all of their ports, too. "routed": by published ports at their own addresses, with which they leave.
 * "isolated": nobody, for the bridge has no address.
 */
export type GatewayMode = "nat" | "nat-unprotected" | "routed" | "isolated";

/** What one address family of a bridge is to be. */
export interface FamilySettings {
  readonly mode: GatewayMode;
  /** Connections that leave get the machine's address: `hostAddress`, or that of the link they leave by. */
  readonly masquerade: boolean;
  readonly hostAddress?: string;
  /** The bridge's own addresses, with prefix length. */
  readonly addresses: readonly string[];
}

/** A bridge network, with all options read. */
export interface BridgeSettings {
  readonly name: string;
  readonly mtu?: number;
  /** Whether its containers reach each other. */
  readonly icc: boolean;
  readonly internal: boolean;
  /** Absent where the network has no such addresses. */
  readonly ipv4?: FamilySettings;
  readonly ipv6?: FamilySettings;
  /** Links from which containers are reached at all of their ports. */
  readonly trusted: readonly string[];
}

export function bridgeSettings(network: NetworkRecord, suffix: Suffix): BridgeSettings {
  const { options } = network;
  const mtu = mtuOf(network);
  const ipv4 = network.ipv4 ? family(network, 4) : undefined;
  const ipv6 = network.ipv6 ? family(network, 6) : undefined;
  const usual = network.predefined ? defaultBridgeName(suffix) : bridgeNameOfId(network.id);
  return {
    name: options[option.bridgeName] || usual,
    icc: flag(options[option.icc], true),
    internal: network.internal,
    trusted: (options[option.trustedInterfaces] ?? "").split(":").filter((name) => name !== ""),
    ...(mtu !== undefined && { mtu }),
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && { ipv6 }),
  };
}

/** What the network says; undefined is the kernel's choice. */
export function mtuOf({ options }: Pick<NetworkRecord, "options">): number | undefined {
  const mtu = Number(options[option.mtu] ?? 0);
  return mtu > 0 ? mtu : undefined;
}

function family(network: NetworkRecord, which: 4 | 6): FamilySettings {
  const { options } = network;
  const mode = (options[which === 4 ? option.gatewayMode4 : option.gatewayMode6] ?? "nat") as GatewayMode;
  const hostAddress = options[which === 4 ? option.hostAddress4 : option.hostAddress6];
  const inhibited = mode === "isolated" || (which === 4 && flag(options[option.inhibit4], false));
  return {
    mode,
    masquerade: !network.internal && mode.startsWith("nat") && flag(options[option.masquerade], true),
    addresses: inhibited ? [] : gateways(network, which),
    ...(hostAddress && { hostAddress }),
  };
}

function gateways({ subnets }: NetworkRecord, which: 4 | 6): string[] {
  return subnets.flatMap(({ subnet, gateway }) =>
    gateway !== undefined && gateway.includes(":") === (which === 6)
      ? [`${gateway}/${subnet.slice(subnet.indexOf("/") + 1)}`]
      : [],
  );
}

function flag(text: string | undefined, otherwise: boolean): boolean {
  return (text === undefined ? undefined : parseBoolean(text)) ?? otherwise;
}
