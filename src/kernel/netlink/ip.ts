import { isIPv4, isIPv6 } from "node:net";
import { SampanError } from "../../errors/index.ts";

/** Addresses between texts and the bytes that are in netlink messages and on the wire. */

export const AF_INET = 2;
export const AF_INET6 = 10;

/** 4 or 16 bytes of an address without prefix; throws `invalid` for what is none. IPv4 in IPv6 ("::ffff:1.2.3.4") is 16. */
export function ipBytes(address: string): Uint8Array {
  if (isIPv4(address)) return bytesOf4(address);
  if (isIPv6(address) && !address.includes("%")) return bytesOf6(address);
  throw new SampanError("invalid", `Cannot use "${address}" as an IP address`);
}

/** The usual text of 4 or 16 bytes; RFC 5952 for IPv6. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  const { start, length } = longestZeros(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** AF_INET or AF_INET6. */
export function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? AF_INET : AF_INET6;
}

/** Address and prefix length of "10.0.0.1/24"; a lone address has all its bits. */
export function cidrBytes(cidr: string): { address: Uint8Array; prefix: number } {
  const slash = cidr.indexOf("/");
  const address = ipBytes(slash < 0 ? cidr : cidr.slice(0, slash));
  const bits = address.length * 8;
  const text = slash < 0 ? String(bits) : cidr.slice(slash + 1);
  const prefix = Number(text);
  if (!/^\d{1,3}$/.test(text) || prefix > bits)
    throw new SampanError("invalid", `Cannot use "${cidr}": its prefix length is not one of 0 to ${bits}`);
  return { address, prefix };
}

/** First and last address of a prefix. */
export function rangeOf(cidr: string): { first: Uint8Array; last: Uint8Array } {
  const { address, prefix } = cidrBytes(cidr);
  const first = Uint8Array.from(address);
  const last = Uint8Array.from(address);
  for (let index = 0; index < address.length; index++) {
    const free = 0xff >> Math.min(8, Math.max(0, prefix - index * 8));
    first[index] = (address[index] ?? 0) & ~free;
    last[index] = (address[index] ?? 0) | free;
  }
  return { first, last };
}

/** Six bytes of "02:42:ac:11:00:02"; throws `invalid`. */
export function macBytes(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/.test(text))
    throw new SampanError("invalid", `Cannot use "${text}" as a MAC address`);
  return Uint8Array.from(text.split(/[:-]/), (digits) => Number.parseInt(digits, 16));
}

export function macText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function bytesOf4(address: string): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}

function bytesOf6(address: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const [left = "", right] = address.split("::");
  const head = groupsOf(left);
  const tail = groupsOf(right ?? "");
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The bytes of "fe80:0:1" or "ffff:1.2.3.4". */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return [...bytesOf4(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
