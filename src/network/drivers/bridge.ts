import { SampanError } from "../../errors/index.ts";
import { addAddress, addRoute, createBridge, deleteLink, setLink } from "../../kernel/netlink/route/index.ts";
import type { Indexes } from "../host/indexes.ts";
import type { Machine } from "../host/machine.ts";
import { readSysctl, writeSysctl } from "../host/sysctl.ts";
import type { NetworkRecord } from "../types.ts";
import type { BridgeSettings } from "./bridge-settings.ts";
import { linkAlias, type Suffix } from "./names.ts";

const RT_TABLE_LOCAL = 255;

/** Makes the network's bridge, or completes one of ours; somebody else's is used as it is. Returns its index. */
export async function ensureBridge(
  machine: Machine,
  indexes: Indexes,
  suffix: Suffix,
  network: NetworkRecord,
  settings: BridgeSettings,
): Promise<number> {
  const { name } = settings;
  const alias = linkAlias(suffix, network.id);
  const link = await machine.link(name);
  if (link && link.kind !== "bridge") {
    const kind = link.kind ? `of the kind ${link.kind}` : "a device";
    throw new SampanError("conflict", `Cannot use ${name} as the bridge of network ${network.name}: it is ${kind}`);
  }
  if (link && link.alias !== alias) return link.index;
  const index = link?.index ?? (await create(machine, indexes.next().index, alias, network, settings));
  if (link && !link.up) await machine.change([setLink(index, { up: true })], `bring the bridge ${name} up`);
  // Of a bridge that is there, too: the daemon that made it may not have come further
  const purpose = `make the bridge ${name} of network ${network.name}`;
  setSysctls(settings, purpose);
  if (network.name === "bridge" && settings.ipv4) routeNeighbours(name, !settings.icc, purpose);
  await addAddresses(machine, index, settings, link ? await addressesAt(machine, index) : []);
  return index;
}

async function create(
  machine: Machine,
  index: number,
  alias: string,
  { id, name: network }: NetworkRecord,
  settings: BridgeSettings,
): Promise<number> {
  const { name, mtu } = settings;
  // A MAC of its own: else it would be that of some port, and change when that one goes
  const mac = `02:42:${id.slice(0, 8).match(/../g)?.join(":")}`;
  const changes = [setLink(index, { alias, linkLocal: false }), setLink(index, { up: true })];
  await machine.change(
    [createBridge({ name, index, mac, mtu }), ...changes],
    `make the bridge ${name} of network ${network}`,
  );
  return index;
}

function setSysctls({ name, ipv4, ipv6 }: BridgeSettings, purpose: string): void {
  // Answers to the machine's own 127.0.0.1 come in by the bridge, see firewall/rules.ts
  if (ipv4) writeSysctl(`ipv4/conf/${name}/route_localnet`, "1", purpose);
  if (ipv6) writeSysctl(`ipv6/conf/${name}/disable_ipv6`, "0", purpose);
  // A container shall not become the machine's router (CVE-2020-13401); the setting is absent without IPv6
  if (readSysctl(`ipv6/conf/${name}/accept_ra`) !== undefined) writeSysctl(`ipv6/conf/${name}/accept_ra`, "0", purpose);
}

/**
 * Containers that are kept apart ask the bridge for each other, and what they send comes by the machine's routing, where the
 * rules let it through to whom they are linked to: links are of the default network alone.
 */
function routeNeighbours(name: string, isNeeded: boolean, purpose: string): void {
  writeSysctl(`ipv4/conf/${name}/proxy_arp_pvlan`, isNeeded ? "1" : "0", purpose);
  if (!isNeeded) return;
  writeSysctl(`ipv4/neigh/${name}/proxy_delay`, "0", purpose); // else the answer is put off by up to 0.8 s
  writeSysctl(`ipv4/conf/${name}/send_redirects`, "0", purpose);
}

async function addressesAt(machine: Machine, index: number): Promise<string[]> {
  const there = (await machine.addresses()).filter(({ link }) => link === index);
  return there.map(({ address, prefix }) => `${address}/${prefix}`);
}

async function addAddresses(
  machine: Machine,
  index: number,
  settings: BridgeSettings,
  there: readonly string[],
): Promise<void> {
  const missing = addressesOf(settings).filter((address) => !there.includes(address));
  const isNew = there.length === 0;
  const loopback = settings.ipv6 && (isNew || missing.some((address) => address.includes(":")));
  const requests = [
    ...missing.map((address) => newAddress(index, address)),
    ...(loopback ? [loopbackRoute(index)] : []),
  ];
  if (requests.length === 0) return;
  await machine.change(requests, `give the bridge ${settings.name} its addresses`, ["EEXIST"]);
}

/** Removes a bridge that is ours. */
export async function removeBridge(
  machine: Machine,
  suffix: Suffix,
  { id }: Pick<NetworkRecord, "id">,
  name: string,
): Promise<void> {
  const link = await machine.link(name);
  if (link?.alias !== linkAlias(suffix, id)) return;
  await machine.change([deleteLink(link.index)], `remove the bridge ${name}`, ["ENODEV"]);
}

/**
 * All addresses of the bridge; with IPv6 fe80::1, too, as with dockerd. From that the bridge asks where a container is when it
 * forwards to it; one that the kernel made could not be used for the two seconds that the search for duplicates takes.
 */
function addressesOf({ ipv4, ipv6 }: BridgeSettings): readonly string[] {
  const six = ipv6?.addresses ?? [];
  const linkLocal = "fe80::1/64";
  return [...(ipv4?.addresses ?? []), ...six, ...(six.length > 0 && !six.includes(linkLocal) ? [linkLocal] : [])];
}

function newAddress(link: number, address: string) {
  return addAddress({ link, address, noDad: address.includes(":") });
}

/**
 * Lets the answers to connections from [::1] in: conntrack makes ::1 of the address they come to, and the kernel then looks
 * for a local route of the link they came by (rt6_need_strict: loopback addresses are looked up by link). What comes in with
 * ::1 in its header is dropped before (ip6_rcv_core). The machine's own route keeps its lower metric.
 */
function loopbackRoute(link: number) {
  return addRoute({ to: "::1/128", link, type: "local", table: RT_TABLE_LOCAL, metric: 4096, append: true });
}
