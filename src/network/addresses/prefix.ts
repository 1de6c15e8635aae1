import { type Family, type Ip, parseAddress, printAddress, width } from "./address.ts";

/** What CIDR notation says: an address and the number of its leading bits that name the network. */
export interface Prefix {
  readonly family: Family;
  /** As it was written: bits beyond the prefix may be set (`--bip 10.1.2.3/24`). */
  readonly address: bigint;
  readonly bits: number;
}

/** Parses CIDR notation; undefined when `text` is something else. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.lastIndexOf("/");
  const ip = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (!ip || !/^(0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const bits = Number(digits) - (ip.family === 4 && text.includes(":") ? 96 : 0);
  return bits < 0 || bits > width(ip.family) ? undefined : { family: ip.family, address: ip.value, bits };
}

export function printPrefix({ family, address, bits }: Prefix): string {
  return `${printAddress({ family, value: address })}/${bits}`;
}

/** How many addresses it has. */
export function sizeOf({ family, bits }: Prefix): bigint {
  return 1n << BigInt(width(family) - bits);
}

/** The lowest address: that of the network itself. */
export function firstOf(prefix: Prefix): bigint {
  const size = sizeOf(prefix);
  return prefix.address - (prefix.address % size);
}

/** The highest address: in IPv4 that of the broadcast. */
export function lastOf(prefix: Prefix): bigint {
  return firstOf(prefix) + sizeOf(prefix) - 1n;
}

/** The same network, written with its own address. */
export function masked(prefix: Prefix): Prefix {
  return { ...prefix, address: firstOf(prefix) };
}

/** Whether the address is one of the network's. */
export function containsAddress(prefix: Prefix, { family, value }: Ip): boolean {
  return family === prefix.family && value >= firstOf(prefix) && value <= lastOf(prefix);
}

/** Whether all of `inner` is part of `outer`. */
export function containsPrefix(outer: Prefix, inner: Prefix): boolean {
  return inner.bits >= outer.bits && overlap(outer, inner);
}

/** Whether they share an address; of two networks that do, one contains the other. */
export function overlap(a: Prefix, b: Prefix): boolean {
  if (a.family !== b.family) return false;
  const shift = BigInt(width(a.family) - Math.min(a.bits, b.bits));
  return a.address >> shift === b.address >> shift;
}
