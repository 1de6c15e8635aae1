import { randomBytes } from "node:crypto";
import { type Ip, parseAddress } from "../addresses/address.ts";

/** A MAC address in one of the ways to write it (RFC 7042 or Cisco's), as "02:42:ac:11:00:02". Undefined when it is none. */
export function parseMac(text: string): string | undefined {
  const isMac =
    /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) ||
    /^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text) ||
    /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i.test(text);
  return isMac ? format(text.replaceAll(/[^0-9a-f]/gi, "").toLowerCase()) : undefined;
}

/** Whether a link may have it: the kernel refuses those of groups and 00:00:00:00:00:00. */
export function isUnicastMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 && /[1-9a-f]/.test(mac);
}

/**
 * The MAC address of an endpoint that asked for none: locally administered, made from its address. So who gets the
 * address of a container that has gone gets its MAC address, too, and nobody's neighbour table is wrong.
 */
export function macOf(ipv4: string | undefined, ipv6: string | undefined): string {
  const ip = parseAddress(ipv4 ?? ipv6 ?? "");
  const digits = ip ? fold(ip) : randomBytes(4).toString("hex");
  return format(`0242${digits}`);
}

/** 32 bits in hex: an IPv4 address as it is, the parts of an IPv6 one on top of each other. */
function fold({ value }: Ip): string {
  let folded = 0n;
  for (let rest = value; rest > 0n; rest >>= 32n) folded ^= rest & 0xffffffffn;
  return folded.toString(16).padStart(8, "0");
}

function format(digits: string): string {
  return digits.replaceAll(/(..)(?=.)/g, "$1:");
}
