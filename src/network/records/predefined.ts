import { createHash } from "node:crypto";
import { SampanError } from "../../errors/index.ts";
import type { Family } from "../addresses/address.ts";
import { containsPrefix, masked, type Prefix, parsePrefix, printPrefix } from "../addresses/prefix.ts";
import type { IpamConfig } from "../ipam/types.ts";
import type { NetworkingOptions } from "../options.ts";
import type { Driver, NetworkRecord } from "../types.ts";
import { option } from "./driver-options.ts";
import type { NetworkDefaults } from "./types.ts";

/** The same for the same root, whatever happens to its database. */
export function predefinedId(root: string, name: string): string {
  return createHash("sha256").update(`sampan network ${root} ${name}`).digest("hex");
}

/** "host" and "none", which need nothing. */
export function plainNetwork(root: string, name: "host" | "none", now: number): NetworkRecord {
  const driver: Driver = name === "host" ? "host" : "null";
  return { ...predefined(root, name, now), driver, ipv4: true, ipv6: false, subnets: [], options: {} };
}

/** The network "bridge" without its subnets. */
export function defaultBridge({ root, options, bridgeInterface }: NetworkDefaults, now: number): NetworkRecord {
  const { bridge, icc, ipMasquerade, ip, ipv6, mtu } = options;
  return {
    ...predefined(root, "bridge", now),
    driver: "bridge",
    ipv4: true,
    ipv6,
    subnets: [],
    options: {
      [option.defaultBridge]: "true",
      [option.icc]: String(icc),
      [option.masquerade]: String(ipMasquerade),
      [option.hostBinding]: ip ?? "0.0.0.0",
      [option.bridgeName]: bridge || bridgeInterface,
      [option.mtu]: String(mtu ?? 1500),
    },
  };
}

function predefined(root: string, name: string, now: number) {
  return {
    id: predefinedId(root, name),
    name,
    createdAt: now,
    predefined: true,
    internal: false,
    attachable: false,
    ipamOptions: null,
    labels: {},
  };
}

/**
 * The subnet of the network "bridge" in one family as the daemon's options fix it. Undefined: they leave it to us. The
 * bridge's own address and subnet are what `--bip` says, or what a bridge of somebody else's has.
 */
export function bridgeSubnet(
  options: NetworkingOptions,
  addresses: readonly string[],
  family: Family,
): IpamConfig | undefined {
  const v4 = family === 4;
  const own = parse(v4 ? options.bip : options.bip6, v4 ? "bip" : "bip6") ?? ofBridge(options, addresses, family);
  const range = parse(v4 ? options.fixedCidr : options.fixedCidrV6, v4 ? "fixed-cidr" : "fixed-cidr-v6");
  if (!own) return range && { subnet: printPrefix(masked(range)), ipRange: printPrefix(masked(range)) };
  const subnet = printPrefix(masked(own));
  if (range && !containsPrefix(own, range)) {
    const flag = v4 ? "fixed-cidr" : "fixed-cidr-v6";
    const text = `Cannot use --${flag} ${printPrefix(range)}: it is not part of the default bridge's network ${subnet}`;
    throw new SampanError("invalid", text);
  }
  return {
    subnet,
    gateway: printPrefix(own).replace(/\/\d+$/, ""),
    ...(range && { ipRange: printPrefix(masked(range)) }),
  };
}

function parse(text: string | undefined, flag: string): Prefix | undefined {
  if (!text) return undefined;
  const prefix = parsePrefix(text);
  if (!prefix) throw new SampanError("invalid", `Cannot use --${flag} ${text}: it is not in CIDR notation`);
  return prefix;
}

/** With `--bridge NAME`, the bridge's first address that the kernel has not given it by itself. */
function ofBridge(options: NetworkingOptions, addresses: readonly string[], family: Family): Prefix | undefined {
  if (!options.bridge) return undefined;
  const own = addresses
    .flatMap((text) => parsePrefix(text) ?? [])
    .filter((prefix) => prefix.family === family && !(family === 6 && prefix.address >> 118n === 0x3fan));
  if (own[0] || family === 6) return own[0];
  const text = `Cannot use the bridge ${options.bridge}: it has no IPv4 address, give it one and start the daemon again`;
  throw new SampanError("invalid", text);
}
