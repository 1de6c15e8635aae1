import type { ContainerConfig, HostConfig, PortBindingRequest } from "../../api/shapes/container.ts";
import { egressConfig } from "../parsing/egress.ts";
import type { Publication } from "../parsing/ports.ts";
import { asSet, defined, some } from "./absent.ts";
import { joinNetworks } from "./endpoints.ts";
import type { ContainerValues } from "./request.ts";

/** What it knows of the network, and what the network knows of it. */
export function connections(values: ContainerValues): HostConfig {
  return defined<HostConfig>({
    Dns: some(values.dns),
    DnsOptions: some([...values["dns-option"], ...values["dns-opt"]]),
    Egress: egressConfig(values.egress),
    DnsSearch: some(values["dns-search"]),
    ExtraHosts: some(values["add-host"]),
    Links: some(values.link),
    PortBindings: portBindings(values.publish.flat()),
    PublishAllPorts: values["publish-all"] ? true : undefined,
  });
}

/** Which networks it joins, and how. */
export function networksOf(values: ContainerValues): ReturnType<typeof joinNetworks> {
  return joinNetworks([...values.network, ...values.net], {
    aliases: [...values["network-alias"], ...values["net-alias"]],
    links: values.link,
    ip: values.ip,
    ip6: values.ip6,
    linkLocalIps: values["link-local-ip"],
    macAddress: values["mac-address"],
  });
}

function portBindings(published: readonly Publication[]): HostConfig["PortBindings"] {
  const bindings: Record<string, PortBindingRequest[]> = {};
  for (const { port, binding } of published) {
    bindings[port] ??= [];
    bindings[port].push(binding);
  }
  return published.length === 0 ? undefined : bindings;
}

/** What is published is exposed, too. */
export function exposedPorts(values: ContainerValues): ContainerConfig["ExposedPorts"] {
  const ports = [...values.publish.flat().map(({ port }) => port), ...values.expose.flat()];
  return ports.length === 0 ? undefined : asSet(ports);
}
