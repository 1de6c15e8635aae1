import { domainToASCII } from "node:url";
import { SampanError } from "../../errors/index.ts";
import { type Ip, isLinkLocal, isLoopback, isMulticast, isUnspecified, parseAddress } from "../addresses/address.ts";
import { masked, type Prefix, parsePrefix, printPrefix } from "../addresses/prefix.ts";
import type { EgressPolicy } from "./types.ts";

/** One entry of a policy, understood. */
export type Destination = NameDestination | RangeDestination;

export interface NameDestination {
  /** In lower case, without the dot at its end; of "*.example.com" what follows the star. */
  readonly name: string;
  /** Names below `name`, and not itself. */
  readonly wildcard: boolean;
  /** TCP and UDP at this port; everything when absent. */
  readonly port?: number;
}

export interface RangeDestination {
  /** CIDR. */
  readonly range: string;
  readonly port?: number;
}

/** Understands an entry; throws "invalid". */
export function parseDestination(text: string): Destination {
  const { host, port } = splitPort(text);
  const range = rangeOf(host);
  const where = range === undefined ? nameOf(host) : { range: printPrefix(masked(range)) };
  if (where === undefined) {
    const forms = "a host name, *.domain, an address or a CIDR, each with or without :PORT ([IPv6]:PORT)";
    throw new SampanError("invalid", `invalid egress destination ${JSON.stringify(text)}: it has to be ${forms}`);
  }
  return port === undefined ? where : { ...where, port };
}

/** The policy in the one way in which it is stored and shown. Throws "invalid". */
export function checkPolicy({ allow }: EgressPolicy): EgressPolicy {
  return { allow: [...new Set(allow.map((text) => printDestination(parseDestination(text))))] };
}

function printDestination(destination: Destination): string {
  const { port } = destination;
  if ("name" in destination) {
    return `${destination.wildcard ? "*." : ""}${destination.name}${port === undefined ? "" : `:${port}`}`;
  }
  const { range } = destination;
  const isAddress = range.endsWith(range.includes(":") ? "/128" : "/32");
  const text = isAddress ? range.slice(0, range.indexOf("/")) : range;
  if (port === undefined) return text;
  return text.includes(":") ? `[${text}]:${port}` : `${text}:${port}`;
}

export function names({ allow }: EgressPolicy): NameDestination[] {
  return allow.map(parseDestination).filter((each): each is NameDestination => "name" in each);
}

export function ranges({ allow }: EgressPolicy): RangeDestination[] {
  return allow.map(parseDestination).filter((each): each is RangeDestination => "range" in each);
}

/** Whether the entry is about the name: in lower case, without the dot at its end, as dns/name.ts prints it. */
export function matchesName({ name, wildcard }: NameDestination, asked: string): boolean {
  if (asked.includes("\\")) return false; // a dot within a label
  return wildcard ? asked.length > name.length + 1 && asked.endsWith(`.${name}`) : asked === name;
}

/**
 * Whether a name may lead to the address: not to the container itself, nor to a neighbour of whoever sends, as addresses of
 * clouds' metadata services are. Who controls an allowed name would otherwise choose.
 */
export function mayBeNamed(address: string): boolean {
  const ip: Ip | undefined = parseAddress(address);
  return ip !== undefined && !isUnspecified(ip) && !isLoopback(ip) && !isLinkLocal(ip) && !isMulticast(ip);
}

function splitPort(text: string): { readonly host: string; readonly port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([^:]*):(\d{1,5})$/.exec(text);
  const [, host = text, digits] = bracketed ?? plain ?? [];
  if (digits === undefined) return { host };
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw new SampanError("invalid", `invalid egress destination "${text}": no such port`);
  return { host, port };
}

function rangeOf(host: string): Prefix | undefined {
  const ip = parseAddress(host);
  return ip ? { family: ip.family, address: ip.value, bits: ip.family === 4 ? 32 : 128 } : parsePrefix(host);
}

function nameOf(host: string): NameDestination | undefined {
  if (/[^\p{L}\p{M}\p{N}._*-]/u.test(host)) return undefined; // what would end a host in a URL
  const wildcard = host.startsWith("*.");
  const name = domainToASCII(host.slice(wildcard ? 2 : 0).replace(/\.$/, "")).toLowerCase();
  // A last label of digits is an address that was written wrongly
  const labels = name.split(".");
  if (name.length > 253 || /^\d+$/.test(labels.at(-1) ?? "")) return undefined;
  if (!labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return undefined;
  return { name, wildcard };
}
