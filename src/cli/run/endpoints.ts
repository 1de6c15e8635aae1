import type {
  CreateContainerRequest,
  EndpointIpamConfig,
  EndpointSettingsRequest,
} from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { isUserDefined, type NetworkAttachment, parseNetwork } from "../parsing/network.ts";

/** What the flags beside `--network` ask of the first network. */
export interface EndpointFlags {
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly linkLocalIps: readonly string[];
  readonly macAddress: string | undefined;
}

interface Joined {
  /** What the container's network namespace is, in the API's words. */
  readonly networkMode: string;
  readonly networking: CreateContainerRequest["NetworkingConfig"];
}

/**
 * `--network` and the flags that go with it, with docker's checks and texts. The flags belong to the first network, as they
 * did when there could be but one.
 */
export function joinNetworks(given: readonly NetworkAttachment[], flags: EndpointFlags): Joined {
  const [first = parseNetwork("default"), ...others] = given;
  const attachments = [withFlags(first, flags), ...others];
  const endpoints = new Map<string, EndpointSettingsRequest>();
  for (const attachment of attachments) {
    const settings = endpointSettings(attachment, attachment === attachments[0] ? flags.links : []);
    if (endpoints.has(attachment.name))
      refuse(`network ${JSON.stringify(attachment.name)} is specified multiple times`);
    endpoints.set(attachment.name, settings);
  }
  const own = attachments.filter(({ name }) => isUserDefined(name)).length;
  if (own > 0 && own < attachments.length) {
    refuse("conflicting options: cannot attach both user-defined and non-user-defined network-modes");
  }
  // Of one network without wishes the mode says everything.
  const mode = attachments[0]?.name ?? "default";
  const plain = attachments.length === 1 && Object.keys(endpoints.get(mode) ?? {}).length === 0;
  return {
    networkMode: mode,
    networking: plain ? undefined : { EndpointsConfig: Object.fromEntries(endpoints) },
  };
}

function withFlags(network: NetworkAttachment, flags: EndpointFlags): NetworkAttachment {
  const twice: readonly (readonly [said: boolean, flag: string, what: string])[] = [
    [network.aliases.length > 0 && flags.aliases.length > 0, "network-alias", "alias"],
    [network.ip !== undefined && flags.ip !== undefined, "ip", "IPv4 address"],
    [network.ip6 !== undefined && flags.ip6 !== undefined, "ip6", "IPv6 address"],
    [network.macAddress !== undefined && flags.macAddress !== undefined, "mac-address", "MAC address"],
    [network.linkLocalIps.length > 0 && flags.linkLocalIps.length > 0, "link-local-ip", "link-local IP addresses"],
  ];
  for (const [said, flag, what] of twice) {
    if (said) refuse(`conflicting options: cannot specify both --${flag} and per-network ${what}`);
  }
  return {
    ...network,
    aliases: [...network.aliases, ...flags.aliases],
    ip: network.ip ?? flags.ip,
    ip6: network.ip6 ?? flags.ip6,
    linkLocalIps: [...network.linkLocalIps, ...flags.linkLocalIps],
    macAddress: network.macAddress ?? flags.macAddress,
  };
}

/** On a network of users a link is an alias there; on the default bridge it is the container's own matter (`HostConfig.Links`). */
function endpointSettings(network: NetworkAttachment, links: readonly string[]): EndpointSettingsRequest {
  const { name, aliases, driverOptions, gatewayPriority, macAddress } = network;
  if (name.trim() === "") refuse("no name set for network");
  if (!isUserDefined(name) && aliases.length > 0) {
    refuse("network-scoped aliases are only supported for user-defined networks");
  }
  const ipam = ipamConfig(network);
  return {
    ...(ipam === undefined ? {} : { IPAMConfig: ipam }),
    ...(isUserDefined(name) && links.length > 0 ? { Links: links } : {}),
    ...(aliases.length === 0 ? {} : { Aliases: aliases }),
    ...(macAddress === undefined ? {} : { MacAddress: macAddress }),
    ...(Object.keys(driverOptions).length === 0 ? {} : { DriverOpts: driverOptions }),
    ...(gatewayPriority === 0 ? {} : { GwPriority: gatewayPriority }),
  };
}

/** The addresses that a container is to have, in the API's words; undefined when none is asked for. */
export function ipamConfig(
  asked: Pick<NetworkAttachment, "ip" | "ip6" | "linkLocalIps">,
): EndpointIpamConfig | undefined {
  const { ip, ip6, linkLocalIps } = asked;
  const config = {
    ...(ip ? { IPv4Address: ip } : {}),
    ...(ip6 ? { IPv6Address: ip6 } : {}),
    ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
  };
  return Object.keys(config).length === 0 ? undefined : config;
}

function refuse(message: string): never {
  throw invalid(message);
}
