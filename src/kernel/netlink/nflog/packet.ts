import { ipText } from "../ip.ts";

/** What an IP packet says about where it goes. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  /** 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6, 132 SCTP. */
  readonly protocol: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

const withPorts = new Set([6, 17, 132, 136]);
/** Hop-by-hop, routing, destination options: headers of IPv6 before the transport's. RFC 8200, section 4. */
const extensions = new Set([0, 43, 60]);

/** Reads the headers at the start of a packet; undefined for what is no IP, or cut short. */
export function readPacket(bytes: Uint8Array): Packet | undefined {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4 && bytes.length >= 20) {
    const fragment = (((bytes[6] ?? 0) & 0x1f) << 8) | (bytes[7] ?? 0);
    const transport = fragment === 0 ? bytes.subarray(((bytes[0] ?? 0) & 0xf) * 4) : new Uint8Array();
    return packet(bytes.subarray(12, 16), bytes.subarray(16, 20), bytes[9] ?? 0, transport);
  }
  if (version !== 6 || bytes.length < 40) return undefined;
  let next = bytes[6] ?? 0;
  let at = 40;
  while (extensions.has(next) && at + 8 <= bytes.length) {
    next = bytes[at] ?? 0;
    at += ((bytes[at + 1] ?? 0) + 1) * 8;
  }
  return packet(bytes.subarray(8, 24), bytes.subarray(24, 40), next, bytes.subarray(at));
}

function packet(source: Uint8Array, destination: Uint8Array, protocol: number, transport: Uint8Array): Packet {
  const ends = { source: ipText(source), destination: ipText(destination), protocol };
  if (!withPorts.has(protocol) || transport.length < 4) return ends;
  const [a = 0, b = 0, c = 0, d = 0] = transport;
  return { ...ends, sourcePort: (a << 8) | b, destinationPort: (c << 8) | d };
}
