import type { ContainerView, EndpointView } from "../../engine/types.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import type { EndpointSettings, NetworkSettings, Port } from "../shapes/container.ts";

const v1_45 = versionNumber("1.45");

type PortMap = NetworkSettings["Ports"];
type Bindings = readonly { readonly HostIp: string; readonly HostPort: string }[];

/** NetworkSettings of GET /containers/{id}/json. */
export function networkSettings(container: ContainerView, version: ApiVersion): NetworkSettings {
  const { network } = container;
  const {
    IPAddress,
    IPPrefixLen,
    Gateway,
    GlobalIPv6Address,
    GlobalIPv6PrefixLen,
    IPv6Gateway,
    EndpointID,
    ...bridge
  } = endpointSettings(network.endpoints.bridge);
  return {
    Bridge: "",
    SandboxID: network.sandboxId,
    SandboxKey: network.sandboxKey,
    Ports: portMap(container),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID,
    Gateway,
    GlobalIPv6Address,
    GlobalIPv6PrefixLen,
    IPAddress,
    IPPrefixLen,
    IPv6Gateway,
    MacAddress: network.endpoints.bridge?.endpoint === undefined ? "" : bridge.MacAddress,
    Networks: networks(container, (view) => endpointSettings(view, version < v1_45 ? container.id : undefined)),
  };
}

/** NetworkSettings.Networks of one entry of GET /containers/json. */
export function networksOf(container: ContainerView): Record<string, EndpointSettings> {
  return networks(container, (view) => ({ ...endpointSettings(view), DNSNames: null }));
}

function networks(
  { network }: ContainerView,
  shape: (view: EndpointView) => EndpointSettings,
): Record<string, EndpointSettings> {
  return Object.fromEntries(Object.entries(network.endpoints).map(([name, view]) => [name, shape(view)]));
}

/** @param id the container's, for versions whose aliases had it among them */
function endpointSettings(view: EndpointView | undefined, id?: string): EndpointSettings {
  const { settings, endpoint, dnsNames = [] } = view ?? {};
  const { ipv4, ipv6 } = endpoint ?? {};
  const short = id !== undefined && dnsNames.length > 0 ? [id.slice(0, 12)] : [];
  const aliases = [...new Set([...(settings?.Aliases ?? []), ...short])];
  return {
    IPAMConfig: settings?.IPAMConfig ?? null,
    Links: settings?.Links ?? null,
    Aliases: aliases.length > 0 ? aliases : (settings?.Aliases ?? null),
    MacAddress: endpoint?.macAddress ?? settings?.MacAddress ?? "",
    DriverOpts: settings?.DriverOpts ?? null,
    GwPriority: settings?.GwPriority ?? 0,
    NetworkID: settings?.NetworkID ?? "",
    EndpointID: endpoint?.id ?? "",
    Gateway: ipv4?.gateway ?? "",
    IPAddress: ipv4?.address ?? "",
    IPPrefixLen: ipv4?.prefix ?? 0,
    IPv6Gateway: ipv6?.gateway ?? "",
    GlobalIPv6Address: ipv6?.address ?? "",
    GlobalIPv6PrefixLen: ipv6?.prefix ?? 0,
    DNSNames: dnsNames.length > 0 ? dnsNames : null,
  };
}

/** Where the machine answers, by the container's ports; null for those that it only says it listens at. */
function portMap({ network, exposedPorts }: ContainerView): PortMap {
  const isConnected = Object.values(network.endpoints).some(({ endpoint }) => endpoint?.ipv4 ?? endpoint?.ipv6);
  if (!isConnected) return {};
  const ports = new Map<string, Bindings | null>(exposedPorts.map((key) => [key, null]));
  for (const { containerPort, protocol, hostAddress, hostPort } of network.ports) {
    const key = `${containerPort}/${protocol}`;
    const binding = { HostIp: hostAddress, HostPort: hostPort === 0 ? "" : String(hostPort) };
    ports.set(key, [...(ports.get(key) ?? []), binding]);
  }
  return Object.fromEntries([...ports].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Ports of one entry of GET /containers/json. */
export function portList(container: ContainerView): Port[] {
  return Object.entries(portMap(container)).flatMap(([key, bindings]) => {
    const [number = "", Type = ""] = key.split("/");
    const PrivatePort = Number(number);
    if (bindings === null) return [{ PrivatePort, Type }];
    return bindings.map(({ HostIp: IP, HostPort }) => {
      return { IP, PrivatePort, ...(HostPort !== "" && { PublicPort: Number(HostPort) }), Type };
    });
  });
}
