import { createHash } from "node:crypto";
import type { ContainerView } from "../../engine/types.ts";
import type { EndpointSettings, NetworkSettings } from "../shapes/container.ts";
import type { NetworkContainer, NetworkResource } from "../shapes/network.ts";

/** The networks that need no networking: name and driver. */
const builtIn = [
  ["none", "null"],
  ["host", "host"],
] as const;

/** 64 hex digits that are the same on every machine, for there is nothing in these networks to tell apart. */
export function networkId(name: string): string {
  return createHash("sha256").update(`sampan network ${name}`).digest("hex");
}

/** The network a container has joined, by what it was asked to join. */
export function networkOf(container: ContainerView): string {
  const mode = container.hostConfig.NetworkMode;
  return mode === "" || mode === "default" ? "none" : mode;
}

function endpoint(container: ContainerView, network: string): EndpointSettings {
  const id = container.state.running ? endpointId(container.id, network) : "";
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    MacAddress: "",
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: networkId(network),
    EndpointID: id,
    Gateway: "",
    IPAddress: "",
    IPPrefixLen: 0,
    IPv6Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    DNSNames: null,
  };
}

function endpointId(container: string, network: string): string {
  return createHash("sha256").update(`sampan endpoint ${container} ${network}`).digest("hex");
}

/** The endpoints of a container; none when it uses another container's network. */
export function endpointsOf(container: ContainerView): Record<string, EndpointSettings> {
  const network = networkOf(container);
  return network.startsWith("container:") ? {} : { [network]: endpoint(container, network) };
}

export function networkSettings(container: ContainerView): NetworkSettings {
  return {
    Bridge: "",
    SandboxID: "",
    SandboxKey: container.state.pid > 0 ? `/proc/${container.state.pid}/ns/net` : "",
    Ports: {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: "",
    Gateway: "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: "",
    IPPrefixLen: 0,
    IPv6Gateway: "",
    MacAddress: "",
    Networks: endpointsOf(container),
  };
}

/** The networks there are; with `containers` each says who has joined it. */
export function networks(containers: readonly ContainerView[] = []): NetworkResource[] {
  return builtIn.map(([name, driver]) => ({
    Name: name,
    Id: networkId(name),
    Created: "0001-01-01T00:00:00Z",
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: null },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: members(name, containers),
    Options: {},
    Labels: {},
  }));
}

function members(network: string, containers: readonly ContainerView[]): Record<string, NetworkContainer> {
  const joined = containers.filter((container) => container.state.running && networkOf(container) === network);
  return Object.fromEntries(
    joined.map(({ id, name }) => [
      id,
      { Name: name, EndpointID: endpointId(id, network), MacAddress: "", IPv4Address: "", IPv6Address: "" },
    ]),
  );
}
