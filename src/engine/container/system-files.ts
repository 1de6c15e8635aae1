import { readFileSync } from "node:fs";
import type { SandboxState } from "../../network/networking.ts";
import type { Endpoint } from "../../network/types.ts";
import type { OwnFile } from "../../runtime/types.ts";
import { type HostsEntry, hostGateway, hostsFile, machineHostsFile, parseExtraHost } from "../files/hosts.ts";
import { bridgedResolvConf, machineResolvConf, namedResolvConf } from "../files/resolv-conf.ts";
import { gatewayAddresses } from "../networks/host-gateway.ts";
import { linkEntries } from "../networks/links.ts";
import { dnsOptions, orDefault } from "../networks/sandbox.ts";
import type { EngineParts } from "../parts.ts";
import type { ContainerRecord } from "../records/record.ts";
import { sharedContainer } from "./modes.ts";

/** What /etc/hosts and the like tell of a container's networks. */
export type KnownNetworks = Pick<SandboxState, "endpoints"> & { readonly named: boolean };

/** Of one that has none of its own, and of one that does not run. */
export const noNetworks: KnownNetworks = { endpoints: [], named: false };

/**
 * /etc/hostname, hosts and resolv.conf of a container, made anew for every start: addresses and the machine's resolvers may
 * have changed. Who uses another container's network has that one's. What the user mounts in their places stays.
 */
export function systemFiles(parts: EngineParts, record: ContainerRecord, networks: KnownNetworks): OwnFile[] {
  const shared = sharedContainer(record.hostConfig.NetworkMode);
  const owner = shared === undefined ? { record, sandbox: networks } : parts.registry.get(shared);
  const known = owner.sandbox ?? noNetworks;
  const texts: Readonly<Record<string, string>> = {
    "/etc/resolv.conf": resolvConfText(parts, owner.record, known.named),
    "/etc/hostname": `${owner.record.config.Hostname}\n`,
    "/etc/hosts": hostsText(parts, owner.record, known.endpoints),
  };
  const taken = new Set(record.mounts.map(({ destination }) => destination));
  return Object.entries(texts)
    .filter(([target]) => !taken.has(target))
    .map(([target, text]) => ({ target, text, readOnly: record.hostConfig.ReadonlyRootfs }));
}

/** Its /etc/resolv.conf; `named` when 127.0.0.11 answers it. */
export function resolvConfText(parts: EngineParts, record: ContainerRecord, named: boolean): string {
  const { hostConfig: host } = record;
  const { dns, dnsSearch } = parts.networkDefaults;
  const asked = {
    servers: orDefault(host.Dns, dns),
    search: orDefault(host.DnsSearch, dnsSearch),
    options: dnsOptions(parts, record),
  };
  if (host.NetworkMode === "host") return machineResolvConf(readIfThere("/etc/resolv.conf"), asked);
  return (named ? namedResolvConf : bridgedResolvConf)(machineResolvers(), asked);
}

/** With systemd-resolved, /etc/resolv.conf names only its own stub: whom that asks is in a file of its own. */
function machineResolvers(): string {
  const text = readIfThere("/etc/resolv.conf");
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server]) => server);
  const onlyStub = servers.length > 0 && servers.every((server) => server === "127.0.0.53");
  return (onlyStub ? readIfThere("/run/systemd/resolve/resolv.conf") : "") || text;
}

function hostsText(parts: EngineParts, record: ContainerRecord, endpoints: readonly Endpoint[]): string {
  const extra = extraEntries(parts, record, endpoints);
  if (record.hostConfig.NetworkMode === "host") return machineHostsFile(readIfThere("/etc/hosts"), extra);
  const own = endpoints.flatMap((endpoint) => ownEntries(record, endpoint));
  const itself = own.length > 0 ? own : [{ address: "127.0.0.1", names: ownNames(record) }];
  return hostsFile([...extra, ...linkEntries(parts, record), ...itself]);
}

/** The lines by which a container finds itself at an endpoint's addresses. */
export function ownEntries(record: Pick<ContainerRecord, "config">, { ipv4, ipv6 }: Endpoint): HostsEntry[] {
  const names = ownNames(record);
  return [ipv4, ipv6].flatMap((given) => (given === undefined ? [] : [{ address: given.address, names }]));
}

function ownNames({ config: { Hostname, Domainname } }: Pick<ContainerRecord, "config">): string[] {
  return Domainname === "" ? [Hostname] : [`${Hostname}.${Domainname}`, Hostname];
}

/** `--add-host`. */
function extraEntries(parts: EngineParts, record: ContainerRecord, endpoints: readonly Endpoint[]): HostsEntry[] {
  return (record.hostConfig.ExtraHosts ?? []).map(parseExtraHost).flatMap(({ name, address }) => {
    const addresses = address === hostGateway ? gatewayAddresses(parts, record, endpoints) : [address];
    return addresses.map((found) => ({ address: found, names: [name] }));
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
