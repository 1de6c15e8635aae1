import { parseIpv4, printIpv4 } from "./v4.ts";
import { parseIpv6, printIpv6 } from "./v6.ts";

export type Family = 4 | 6;

/** An address of either family as a number. */
export interface Ip {
  readonly family: Family;
  readonly value: bigint;
}

/** Parses an address; an IPv4 one that is written as IPv6 ("::ffff:10.0.0.1") is IPv4. Undefined when `text` is none. */
export function parseAddress(text: string): Ip | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { family: 4, value: BigInt(v4) };
  const v6 = parseIpv6(text);
  if (v6 === undefined) return undefined;
  return v6 >> 32n === 0xffffn ? { family: 4, value: v6 & 0xffffffffn } : { family: 6, value: v6 };
}

export function printAddress({ family, value }: Ip): string {
  return family === 4 ? printIpv4(Number(value)) : printIpv6(value);
}

/** The one way in which we write this address; undefined when it is none. */
export function canonicalAddress(text: string): string | undefined {
  const ip = parseAddress(text);
  return ip && printAddress(ip);
}

/** Bits of an address of this family. */
export function width(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

export function isUnspecified(ip: Ip): boolean {
  return ip.value === 0n;
}

/** 169.254.0.0/16 and fe80::/10. */
export function isLinkLocal({ family, value }: Ip): boolean {
  return family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan;
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback({ family, value }: Ip): boolean {
  return family === 4 ? value >> 24n === 127n : value === 1n;
}

/** 224.0.0.0/4 and ff00::/8. */
export function isMulticast({ family, value }: Ip): boolean {
  return family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn;
}

/** In network byte order: 4 or 16 bytes. */
export function addressBytes({ family, value }: Ip): Uint8Array {
  const bytes = new Uint8Array(width(family) / 8);
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The opposite of `addressBytes`: 4 bytes are an IPv4 address, 16 an IPv6 one, whatever is in them. */
export function addressOfBytes(bytes: Uint8Array): Ip {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 4 : 6, value };
}
