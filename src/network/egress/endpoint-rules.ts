import type { Request } from "../../kernel/netlink/message.ts";
import {
  accept,
  addChain,
  addElements,
  addRule,
  addSet,
  anyOf,
  ct,
  deleteChain,
  deleteElements,
  deleteSet,
  differs,
  drop,
  type Element,
  equals,
  fib,
  flushChain,
  goto,
  inPrefix,
  inRange,
  inSet,
  jump,
  leave,
  limit,
  log,
  meta,
  type NftSet,
  payload,
  type Statement,
  type Table,
  types,
} from "../../kernel/netlink/nftables/index.ts";
import type { Suffix } from "../drivers/names.ts";
import { egressTables, maps } from "./base.ts";
import { names, type RangeDestination, ranges } from "./policy.ts";
import type { EgressPolicy, Guarded } from "./types.ts";

type Rule = readonly Statement[];

interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** What one endpoint has in one table. */
interface Content {
  readonly table: Table;
  readonly sets: readonly NftSet[];
  /** Those that others lead to come first. */
  readonly chains: readonly Chain[];
  readonly elements: readonly (readonly [NftSet, Element])[];
}

const protocol = meta("l4proto");
const port = payload.th.dport;
const { ipv4_addr, ipv6_addr, inet_service } = types;

/** Packets of an endpoint that are told of, in a second; what is above is only dropped. */
const told = 50;
/** Addresses that names have led to, in one set: whose names they are may not fill the machine's memory. */
const mostNamed = 16_384;

/** As many bytes of a packet as have its ports, whatever comes before. */
const snapLength = 128;

/** The group of NFLOG in which refused packets are told: every root has its own. */
export function logGroup(suffix: Suffix): number {
  return 0x5a00 + (Number.parseInt(suffix.replace(/^-/, "") || "0", 16) % 0x4000);
}

/** Chains and sets of an endpoint begin with it, and what is logged, too. */
export function prefixOf({ endpointId }: Pick<Guarded, "endpointId">): string {
  return `e${endpointId.slice(0, 12)}`;
}

/** Who logs what: "e0123456789ab", or "e0123456789ab frame" for a frame that is not the container's to send. */
export function frameMark(prefix: string): string {
  return `${prefix} frame`;
}

/** The sets of addresses that allowed names have led to: of everything there, and of a port. */
export function nameSets(guarded: Pick<Guarded, "endpointId">, policy: number) {
  const set = (name: string, key: NftSet["key"]): NftSet => ({
    name: `${prefixOf(guarded)}-${policy}-${name}`,
    key,
    timeout: true,
    size: mostNamed,
  });
  return {
    all4: set("all4", [ipv4_addr]),
    all6: set("all6", [ipv6_addr]),
    port4: set("port4", [ipv4_addr, inet_service]),
    port6: set("port6", [ipv6_addr, inet_service]),
  };
}

/** Adds all that enforces an endpoint's policies; the tables are there. */
export function addEndpoint(guarded: Guarded, suffix: Suffix): Request[] {
  return contents(guarded, suffix).flatMap(({ table, sets, chains, elements }) => [
    ...sets.map((set) => addSet(table, set)),
    // A start that is tried again finds them
    ...chains.flatMap(({ name }) => [addChain(table, name), flushChain(table, name)]),
    ...chains.flatMap(({ name, rules }) => rules.map((rule) => addRule(table, name, rule))),
    ...elements.flatMap(([set, element]) => addElements(table, set, [element])),
  ]);
}

/** Removes all of it; ENOENT where something is not there. */
export function removeEndpoint(guarded: Guarded, suffix: Suffix): Request[] {
  return contents(guarded, suffix).flatMap(({ table, sets, chains, elements }) => [
    ...elements.flatMap(([set, { key }]) => deleteElements(table, set, [{ key }])),
    ...chains.map(({ name }) => flushChain(table, name)),
    ...chains.map(({ name }) => deleteChain(table, name)),
    ...sets.map(({ name }) => deleteSet(table, name)),
  ]);
}

function contents(guarded: Guarded, suffix: Suffix): Content[] {
  const tables = egressTables(suffix);
  const group = logGroup(suffix);
  return [packets(guarded, tables.packets, group), frames(guarded, tables.frames, group)];
}

/** What leaves the bridge, to the machine or beyond it. */
function packets(guarded: Guarded, table: Table, group: number): Content {
  const { bridge, ipv4, ipv6, policies } = guarded;
  const prefix = prefixOf(guarded);
  const denied = `${prefix}-denied`;
  const refuse: Chain = { name: denied, rules: refusal(prefix, group) };
  const each = policies.map((policy, index) => policyChain(guarded, policy, index, denied));
  const own: Chain = {
    name: prefix,
    rules: [
      [anyOf(ct.state, ["established"]), accept],
      ...(["icmp", "icmpv6"] as const).map(
        (kind): Rule => [anyOf(ct.state, ["related"]), equals(protocol, kind), accept],
      ),
      ...neighbours(guarded).map((subnet): Rule => [toPrefix(subnet), equals(fib.daddr.type, "unicast"), accept]),
      ...discovery(guarded),
      ...each.map(({ name }): Rule => [jump(name)]),
    ],
  };
  const verdict = { goto: prefix };
  const elements: (readonly [NftSet, Element])[] = [[maps.stray, { key: [guarded.port] }]];
  if (ipv4 !== undefined) elements.push([maps.sender4, { key: [bridge, ipv4], value: verdict }]);
  if (ipv6 !== undefined) elements.push([maps.sender6, { key: [bridge, ipv6], value: verdict }]);
  for (const address of guarded.linkLocal) {
    elements.push([address.includes(":") ? maps.sender6 : maps.sender4, { key: [bridge, address], value: verdict }]);
  }
  return { table, sets: setsOf(guarded), chains: [own, ...each, refuse], elements };
}

function setsOf(guarded: Guarded): NftSet[] {
  return guarded.policies.flatMap((policy, index) => {
    const wanted = names(policy);
    const { all4, all6, port4, port6 } = nameSets(guarded, index);
    const all = wanted.some(({ port: at }) => at === undefined) ? [all4, all6] : [];
    return wanted.some(({ port: at }) => at !== undefined) ? [...all, port4, port6] : all;
  });
}

/** Comes back when the policy allows the packet. */
function policyChain(guarded: Guarded, policy: EgressPolicy, index: number, denied: string): Chain {
  const here = new Set(setsOf(guarded).map(({ name }) => name));
  const { all4, all6, port4, port6 } = nameSets(guarded, index);
  const rules: Rule[] = ranges(policy).flatMap(rangeRules);
  if (here.has(all4.name)) {
    rules.push([inSet(payload.ipv4.daddr, all4), leave], [inSet(payload.ipv6.daddr, all6), leave]);
  }
  if (here.has(port4.name)) {
    for (const kind of ["tcp", "udp"] as const) {
      rules.push([equals(protocol, kind), inSet([payload.ipv4.daddr, port], port4), leave]);
      rules.push([equals(protocol, kind), inSet([payload.ipv6.daddr, port], port6), leave]);
    }
  }
  return { name: `${prefixOf(guarded)}-${index}`, rules: [...rules, [goto(denied)]] };
}

function rangeRules({ range, port: at }: RangeDestination): Rule[] {
  if (at === undefined) return [[toPrefix(range), leave]];
  return (["tcp", "udp"] as const).map((kind) => [toPrefix(range), equals(protocol, kind), equals(port, at), leave]);
}

/** What comes from the container's port of the bridge: its own addresses, and what neighbours need to find each other. */
function frames(guarded: Guarded, table: Table, group: number): Content {
  const prefix = prefixOf(guarded);
  const denied = `${prefix}-denied`;
  const frame = payload.ether.type;
  const isArp = equals(meta("protocol"), "arp");
  const addresses = [guarded.ipv4, guarded.ipv6, ...guarded.linkLocal].filter((address) => address !== undefined);
  const own: Chain = {
    name: prefix,
    rules: [
      // Tagged frames belong to links of VLANs on the bridge, whose packets nobody would know
      [differs(frame, "ip"), differs(frame, "ip6"), differs(frame, "arp"), goto(denied)],
      [isArp, accept],
      [equals(payload.ipv4.protocol, 2), drop], // the kernel's own, about multicast that nobody gets
      [inPrefix(payload.ipv4.daddr, "224.0.0.0/3"), goto(denied)],
      [equals(meta("protocol"), "ip"), equals(meta("pkttype"), "broadcast"), goto(denied)],
      ...discovery(guarded),
      [equals(payload.icmpv6.type, 133), drop], // asks for routers again and again
      [inPrefix(payload.ipv6.daddr, "ff00::/8"), goto(denied)],
      ...addresses.map((address): Rule => [equals(source(address), address), accept]),
      [goto(denied)],
    ],
  };
  const across: Chain = {
    name: `${prefix}-across`,
    rules: [
      [differs(meta("oifname"), "veth*"), goto(denied)],
      [isArp, accept],
      ...discovery(guarded),
      ...neighbours(guarded).map((subnet): Rule => [toPrefix(subnet), accept]),
      [goto(denied)],
    ],
  };
  return {
    table,
    sets: [],
    chains: [own, across, { name: denied, rules: refusal(frameMark(prefix), group) }],
    elements: [
      [maps.port, { key: [guarded.port], value: { goto: own.name } }],
      [maps.across, { key: [guarded.port], value: { goto: across.name } }],
    ],
  };
}

function source(address: string) {
  return address.includes(":") ? payload.ipv6.saddr : payload.ipv4.saddr;
}

function toPrefix(range: string): Statement {
  return inPrefix(range.includes(":") ? payload.ipv6.daddr : payload.ipv4.daddr, range);
}

/** Of the network; with link-local addresses of its own, too, the others that have such. */
function neighbours({ subnets, linkLocal }: Guarded): readonly string[] {
  const four = linkLocal.some((address) => !address.includes(":")) ? ["169.254.0.0/16"] : [];
  const six = linkLocal.some((address) => address.includes(":")) ? ["fe80::/64"] : [];
  return [...subnets, ...four, ...six];
}

/** Neighbour discovery (135, 136) and what groups somebody listens to (131, 132, 143), of this link only: RFC 4861, RFC 3810. */
function discovery(guarded: Guarded): Rule[] {
  const kinds = [
    inRange(payload.icmpv6.type, 131, 132),
    inRange(payload.icmpv6.type, 135, 136),
    equals(payload.icmpv6.type, 143),
  ];
  const places = ["fe80::/10", "ff02::/16", ...guarded.subnets.filter((subnet) => subnet.includes(":"))];
  return kinds.flatMap((kind) => places.map((place): Rule => [toPrefix(place), kind, accept]));
}

function refusal(prefix: string, group: number): Rule[] {
  return [[limit({ packets: told, per: "second", burst: told }), log({ prefix, group, snapLength })], [drop]];
}
