import { messageOf } from "../../errors/index.ts";
import type { Joining, Sandbox, SandboxRequest, SandboxState } from "../../network/networking.ts";
import type { EndpointSettings } from "../config.ts";
import type { Container } from "../container/live.ts";
import { sharedContainer } from "../container/modes.ts";
import { egressPolicy } from "../egress/policy.ts";
import { asksForDots } from "../files/resolv-conf.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord, RecordedNetwork } from "../records/record.ts";
import { knowsDefaultBridge } from "./host-gateway.ts";
import { openingsOf } from "./links.ts";
import { dnsNames, parseLink } from "./names.ts";
import { portRequests } from "./ports.ts";
import { endpointRequest } from "./settings.ts";

/**
 * Opens a container's part in its networks, for its start; undefined when it uses another container's. Throws when one of
 * them is not there or has no room.
 */
export function openSandbox(parts: EngineParts, record: ContainerRecord): Sandbox | Promise<Sandbox> | undefined {
  if (sharedContainer(record.hostConfig.NetworkMode) !== undefined) return undefined;
  return parts.networking.open(sandboxRequest(parts, record));
}

/** What a daemon that has just started needs to know of a running container's networks. */
export function recordedNetwork({ endpoints, ports, reservedApart }: SandboxState): RecordedNetwork {
  return { endpoints, ports, reservedApart };
}

/** Writes down that a running container's networks have changed. */
export function noteNetworks({ registry }: EngineParts, container: Container): void {
  const { sandbox } = container;
  container.state = { ...container.state, network: sandbox && recordedNetwork(sandbox) };
  registry.writeState(container);
}

/** What a container asks of its networks whenever it starts. */
export function sandboxRequest(parts: EngineParts, record: ContainerRecord): SandboxRequest {
  const { config, hostConfig: host } = record;
  const joinings = Object.entries(record.endpoints).map(([name, settings]) => joiningOf(parts, record, name, settings));
  const published = joinings.some(({ network: { driver } }) => driver !== "host" && driver !== "null");
  return {
    containerId: record.id,
    containerName: record.name,
    joinings,
    // As dockerd: a container that has no network of its own publishes nothing, whatever it asks for.
    ports: published ? portRequests(config, host) : [],
    openings: openingsOf(parts, record),
    egress: egressPolicy(host),
    knowsDefaultBridge: published && knowsDefaultBridge(parts, record),
    dns: { servers: orDefault(host.Dns, parts.networkDefaults.dns), ndotsSet: asksForDots(dnsOptions(parts, record)) },
  };
}

/** How a container is joined to one network that is there. */
export function joiningOf(
  parts: EngineParts,
  record: Pick<ContainerRecord, "id" | "name" | "config">,
  name: string,
  settings: EndpointSettings,
): Joining {
  const network = parts.networking.get(name);
  const links = Object.fromEntries(
    (settings.Links ?? []).map((link) => {
      const { container, alias } = parseLink(link);
      return [alias, parts.registry.find(container)?.record.name ?? container];
    }),
  );
  return {
    network,
    request: endpointRequest(network.name, settings, network),
    names: dnsNames(record, network.name, settings.Aliases ?? []),
    ...(Object.keys(links).length > 0 && { links }),
  };
}

/**
 * Gives back what a container has of networks, at its end. Only published ports are waited for (whoever is told of the end
 * may start the next that wants them), and links that would stay: who uses its network keeps that alive.
 */
export function closeSandbox(parts: EngineParts, container: Container): Promise<void> | undefined {
  const { sandbox } = container;
  if (sandbox === undefined) return undefined;
  const [user] = usersOf(parts, container).filter((other) => other !== container);
  if (user?.running === undefined) return sandbox.release();
  const { pid } = user.running;
  const leaving = sandbox.endpoints.map(
    ({ networkId }) =>
      () =>
        sandbox.leave(pid, networkId),
  );
  return leaving
    .reduce((before, leave) => before.then(leave), Promise.resolve<unknown>(undefined))
    .catch((error) => parts.log.warn({ container: container.id }, `links are left: ${messageOf(error)}`))
    .then(() => sandbox.release());
}

/** Those whose network namespace is this container's: itself first. */
export function usersOf({ registry }: EngineParts, container: Container): Container[] {
  const users: Container[] = [container];
  for (const other of registry.all()) {
    if (other.isRunning && sharedContainer(other.record.hostConfig.NetworkMode) === container.id) users.push(other);
  }
  return users;
}

/** A container that runs has another name: it is found by that now. */
export function renameEndpoints({ networking }: EngineParts, { record, sandbox }: Container): void {
  sandbox?.rename(({ networkId }) => {
    const name = networking.find(networkId)?.name ?? "";
    return dnsNames(record, name, record.endpoints[name]?.Aliases ?? []);
  });
}

export function dnsOptions(parts: EngineParts, { hostConfig }: Pick<ContainerRecord, "hostConfig">): readonly string[] {
  return orDefault(hostConfig.DnsOptions, parts.networkDefaults.dnsOptions);
}

/** What a container says, else what the daemon's command line says. */
export function orDefault(own: readonly string[] | null, usual: readonly string[]): readonly string[] {
  return own !== null && own.length > 0 ? own : usual;
}
