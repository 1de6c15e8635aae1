import { SampanError } from "../../errors/index.ts";
import type { Endpoint, Opening } from "../../network/types.ts";
import type { HostConfig } from "../config.ts";
import type { Container } from "../container/live.ts";
import type { HostsEntry } from "../files/hosts.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { linkVariables } from "../request/link-variables.ts";
import { isUserDefined } from "./modes.ts";
import { checkLink, type Link, parseLink } from "./names.ts";
import { exposedPorts, parseContainerPort } from "./ports.ts";

/** The only network whose links are lines in /etc/hosts and variables: elsewhere they are names that the resolver knows. */
export const defaultNetwork = "bridge";

/** A link whose container runs and is on the default network. */
interface Linked {
  readonly alias: string;
  readonly target: Container;
  readonly endpoint: Endpoint;
}

/**
 * The links that are kept of those asked for, by their containers' ids: a container that is renamed is linked to as before.
 * As dockerd: of two with one alias the first, and none where the container's own network is one that a user has made.
 */
export function recordedLinks(
  { Links, NetworkMode }: Pick<HostConfig, "Links" | "NetworkMode">,
  find: (reference: string) => Container,
): readonly string[] | null {
  const links = new Map<string, string>();
  for (const link of Links ?? []) {
    const { id } = checkLink(link, find);
    const { alias } = parseLink(link);
    if (!links.has(alias)) links.set(alias, `${id}:${alias}`);
  }
  return links.size === 0 || isUserDefined(NetworkMode) ? null : [...links.values()];
}

/** A container's host config as inspect tells it: links are "/target:/container/alias". */
export function withShownLinks({ registry }: EngineParts, { name, hostConfig }: ContainerRecord): HostConfig {
  if (hostConfig.Links === null) return hostConfig;
  const nameOf = (reference: string) => registry.find(reference)?.record.name ?? reference;
  const links = hostConfig.Links.map(parseLink);
  return { ...hostConfig, Links: links.map(({ container, alias }) => `/${nameOf(container)}:/${name}/${alias}`) };
}

/** The lines of a starting container's /etc/hosts. Throws with dockerd's texts when it cannot be linked. */
export function linkEntries(parts: EngineParts, record: ContainerRecord): HostsEntry[] {
  return linksOf(record).flatMap((link) => entriesOf(present(parts, link) ?? refuse(parts, record, link)));
}

/** What a container's processes are told of those that it is linked to and that are there now. */
export function variablesOfLinks(parts: EngineParts, record: ContainerRecord): string[] {
  return linkedNow(parts, record).flatMap(({ alias, target, endpoint }) => {
    const { config } = target.record;
    const ports = exposedPorts(config).map(parseContainerPort);
    const address = endpoint.ipv4?.address ?? "";
    return linkVariables({ asker: record.name, alias, address, ports, env: config.Env });
  });
}

/** The lines of a running container's /etc/hosts for each of its links to one container that is there now. */
export function entriesFor(parts: EngineParts, record: ContainerRecord, target: Container): HostsEntry[][] {
  return linkedNow(parts, record)
    .filter((link) => link.target === target)
    .map(entriesOf);
}

/** Whether a container has asked for a link to another one that it may have now. */
export function isLinkedTo({ registry }: EngineParts, record: ContainerRecord, target: Container): boolean {
  return linksOf(record).some(({ container }) => registry.find(container) === target);
}

/** The ports of those that a container is linked to and that are there now, but for `gone`. */
export function openingsOf(parts: EngineParts, record: ContainerRecord, gone?: Container): Opening[] {
  return linkedNow(parts, record)
    .filter(({ target }) => target !== gone)
    .flatMap(({ target, endpoint: { networkId, ipv4 } }) => {
      const ports = ipv4 ? exposedPorts(target.record.config).map(parseContainerPort) : [];
      return ports.map((port) => ({ networkId, address: ipv4?.address ?? "", ...port }));
    });
}

/** The links of the default network that a container has asked for. */
function linksOf({ hostConfig, endpoints }: ContainerRecord): Link[] {
  const isThere = defaultNetwork in endpoints && !isUserDefined(hostConfig.NetworkMode);
  return isThere ? (hostConfig.Links ?? []).map(parseLink) : [];
}

function linkedNow(parts: EngineParts, record: ContainerRecord): Linked[] {
  return linksOf(record).flatMap((link) => present(parts, link) ?? []);
}

function present({ registry, networking }: EngineParts, { container, alias }: Link): Linked | undefined {
  const target = registry.find(container);
  const networkId = networking.find(defaultNetwork)?.id;
  const network = target?.sandbox ?? target?.state.network; // what the last daemon has written down, while this one starts
  const endpoint = network?.endpoints.find((there) => there.networkId === networkId);
  return target && endpoint && { alias, target, endpoint };
}

function refuse({ registry }: EngineParts, record: ContainerRecord, { container, alias }: Link): never {
  const target = registry.find(container);
  const name = target?.record.name ?? container;
  if (target?.sandbox === undefined) {
    const what = `Cannot link to a non running container: /${name} AS /${record.name}/${alias}`;
    throw new SampanError("conflict", what);
  }
  throw new SampanError("invalid", `Cannot link to /${name}, as it does not belong to the default network`);
}

function entriesOf({ alias, target, endpoint: { ipv4, ipv6 } }: Linked): HostsEntry[] {
  const names = [...new Set([alias, target.record.config.Hostname, target.record.name])];
  return [ipv4, ipv6].flatMap((given) => (given ? [{ address: given.address, names }] : []));
}
