import { SampanError } from "../../../errors/index.ts";
import { type Attribute, be16, be32, be64, text, u8 } from "../attribute.ts";
import { AF_INET, AF_INET6, familyOf, ipBytes } from "../ip.ts";
import * as e from "./expression.ts";
import type { NftSet } from "./sets.ts";
import { type Key, mapped, type Statement, statement } from "./statements.ts";
import { types } from "./types.ts";

/** What else a rule can do with a packet: address translation, counting, logging, refusing. */

export interface NatOptions {
  /** Other ports, at random. */
  readonly random?: boolean | undefined;
  /** The same address for every connection of a client. */
  readonly persistent?: boolean | undefined;
}

/** A new address, port, or both. */
export interface NatTarget {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
}

const NFT_NAT_SNAT = 0;
const NFT_NAT_DNAT = 1;
const NF_NAT_RANGE_PROTO_RANDOM = 4;
const NF_NAT_RANGE_PERSISTENT = 8;

/** Connections go to another address; in chains of the type nat at prerouting and output. */
export function dnat(target: NatTarget & { readonly address: string }, options: NatOptions = {}): Statement {
  return translate(NFT_NAT_DNAT, target, options);
}

/** Connections come from another address; in chains of the type nat at postrouting and input. */
export function snat(target: NatTarget & { readonly address: string }, options: NatOptions = {}): Statement {
  return translate(NFT_NAT_SNAT, target, options);
}

/** To what a map has for the key: an address, or an address and a port. The rule is over when it has nothing. */
export function dnatTo(key: Key, map: NftSet, options: NatOptions = {}): Statement {
  return translateBy(NFT_NAT_DNAT, key, map, options);
}

export function snatTo(key: Key, map: NftSet, options: NatOptions = {}): Statement {
  return translateBy(NFT_NAT_SNAT, key, map, options);
}

/** Connections come from the address of the link they leave by. */
export function masquerade(options: NatOptions = {}): Statement {
  return statement([e.expression("masq", natFlags(1, options))]);
}

/** Connections go to the machine itself, at `port`. */
export function redirect(port?: number): Statement {
  if (port === undefined) return statement([e.expression("redir", [])]);
  return statement([e.immediate(0, types.inet_service.encode(port)), e.expression("redir", [be32(1, e.register(0))])]);
}

/** The connection is not tracked; in chains with priority raw. */
export function notrack(): Statement {
  return statement([e.expression("notrack", [])]);
}

/** Sends a copy, untracked, to the address by the link with this index. Of the families ip and ip6. */
export function duplicate(address: string, link: number): Statement {
  const bytes = ipBytes(address);
  const word = bytes.length / 4;
  const registers = [be32(1, e.register(0)), be32(2, e.register(word))];
  const device = types.iface_index.encode(link);
  return statement([e.immediate(0, bytes), e.immediate(word, device), e.expression("dup", registers)]);
}

/** Counts packets and bytes. */
export function counter(): Statement {
  return statement([e.expression("counter", [be64(1, 0), be64(2, 0)])]);
}

export interface Log {
  readonly prefix?: string | undefined;
  /** To whom listens to this group of NFLOG; to the kernel's log when absent. */
  readonly group?: number | undefined;
  /** Bytes of the packet that are sent along. */
  readonly snapLength?: number | undefined;
}

export function log({ prefix, group, snapLength }: Log): Statement {
  const attributes: Attribute[] = [];
  if (group !== undefined) attributes.push(be16(1, group));
  if (prefix !== undefined) attributes.push(text(2, prefix));
  if (snapLength !== undefined) attributes.push(be32(3, snapLength));
  return statement([e.expression("log", attributes)]);
}

const seconds = { second: 1, minute: 60, hour: 3600, day: 86_400 } as const;

/** The rule goes on for so many packets in a time; with `over` for those that are more. */
export function limit(o: {
  readonly packets: number;
  readonly per: keyof typeof seconds;
  readonly burst?: number;
  readonly over?: boolean;
}): Statement {
  const attributes = [be64(1, o.packets), be64(2, seconds[o.per]), be32(3, o.burst ?? 5), be32(4, 0)];
  return statement([e.expression("limit", [...attributes, be32(5, o.over ? 1 : 0)])]);
}

const NFT_REJECT_TCP_RST = 1;
const NFT_REJECT_ICMPX_UNREACH = 2;
const reasons = { "no-route": 0, "port-unreachable": 1, "host-unreachable": 2, "admin-prohibited": 3 } as const;

/** Drops the packet and tells its sender, in ICMP of its family or by a TCP reset. Of the families inet and bridge. */
export function reject(reason: keyof typeof reasons | "tcp-reset"): Statement {
  if (reason === "tcp-reset") return statement([e.expression("reject", [be32(1, NFT_REJECT_TCP_RST)])], ["tcp"]);
  return statement([e.expression("reject", [be32(1, NFT_REJECT_ICMPX_UNREACH), u8(2, reasons[reason])])]);
}

function translate(type: number, { address, port }: NatTarget & { address: string }, options: NatOptions): Statement {
  const bytes = ipBytes(address);
  const word = bytes.length / 4;
  const expressions = [e.immediate(0, bytes)];
  if (port !== undefined) expressions.push(e.immediate(word, types.inet_service.encode(port)));
  const nat = natExpression(type, familyOf(bytes), 0, port === undefined ? undefined : word, options);
  return statement([...expressions, nat]);
}

function translateBy(type: number, key: Key, map: NftSet, options: NatOptions): Statement {
  const value = map.value === "verdict" ? undefined : map.value;
  const [address, port, more] = value ?? [];
  const family = address === types.ipv4_addr ? AF_INET : address === types.ipv6_addr ? AF_INET6 : undefined;
  if (!address || !family || more || (port && port !== types.inet_service))
    throw new SampanError("internal", `Cannot translate addresses by ${map.name}: its values are no addresses`);
  const { guards, expressions } = mapped(key, map);
  return statement([...expressions, natExpression(type, family, 0, port && address.size / 4, options)], guards);
}

/** It does nothing to packets of another family. */
function natExpression(
  type: number,
  family: number,
  address: number,
  port: number | undefined,
  options: NatOptions,
): e.Expression {
  const attributes = [be32(1, type), be32(2, family), be32(3, e.register(address))];
  if (port !== undefined) attributes.push(be32(5, e.register(port)));
  return e.expression("nat", [...attributes, ...natFlags(7, options)]);
}

function natFlags(attribute: number, { random, persistent }: NatOptions): Attribute[] {
  const flags = (random ? NF_NAT_RANGE_PROTO_RANDOM : 0) | (persistent ? NF_NAT_RANGE_PERSISTENT : 0);
  return flags === 0 ? [] : [be32(attribute, flags)];
}
