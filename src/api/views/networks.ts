import type { EndpointView, NetworkMember, NetworkRecord, NetworkView } from "../../engine/types.ts";
import type { NetworkContainer, NetworkResource } from "../shapes/network.ts";

/** One entry of GET /networks: who is joined is only told of one network at a time. */
export function networkResource(network: NetworkRecord): NetworkResource {
  const configs = network.configuration?.config ?? network.subnets;
  return {
    Name: network.name,
    Id: network.id,
    Created: new Date(network.createdAt).toISOString(),
    Scope: "local",
    Driver: network.driver,
    EnableIPv4: network.ipv4,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: network.configuration?.driver ?? "default",
      Options: network.configuration?.options ?? network.ipamOptions,
      Config: configs.length === 0 ? null : configs.map(ipamConfig),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom ?? "" },
    ConfigOnly: network.configuration !== undefined,
    Containers: {},
    Options: network.options,
    Labels: network.labels,
    ...(network.egress && { Egress: { Allow: network.egress.allow } }),
  };
}

/** GET /networks/{id}. */
export function networkInspect({ network, members }: NetworkView): NetworkResource {
  const containers = members.map((member) => [member.containerId, networkContainer(member)] as const);
  return { ...networkResource(network), Containers: Object.fromEntries(containers) };
}

function ipamConfig({ subnet = "", ipRange, gateway, auxiliary }: Partial<NetworkRecord["subnets"][number]>) {
  return {
    Subnet: subnet,
    ...(ipRange !== undefined && { IPRange: ipRange }),
    ...(gateway !== undefined && { Gateway: gateway }),
    ...(auxiliary && Object.keys(auxiliary).length > 0 && { AuxiliaryAddresses: auxiliary }),
  };
}

function networkContainer({ name, endpoint }: NetworkMember): NetworkContainer {
  return {
    Name: name,
    EndpointID: endpoint.id,
    MacAddress: endpoint.macAddress,
    IPv4Address: cidr(endpoint.ipv4),
    IPv6Address: cidr(endpoint.ipv6),
  };
}

type Given = NonNullable<EndpointView["endpoint"]>["ipv4"];

function cidr(given: Given): string {
  return given === undefined ? "" : `${given.address}/${given.prefix}`;
}
