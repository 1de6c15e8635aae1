import { SampanError } from "../../../errors/index.ts";
import { AF_INET, AF_INET6, ipBytes, ipText, macBytes, macText } from "../ip.ts";

/** A value as people write it; bytes where they know better. */
export type Value = string | number | Uint8Array;

/**
 * What a key, a value or a part of a packet is: how it is written and how long it is. `id` is the number by which nft(8)
 * knows the type of a set's keys; the kernel keeps it without looking at it.
 */
export interface DataType {
  readonly name: string;
  readonly id: number;
  /** Bytes. */
  readonly size: number;
  readonly order: "host" | "network";
  encode(value: Value): Uint8Array;
  decode(bytes: Uint8Array): string | number;
}

const IFNAMSIZ = 16;

function refuse(type: string, value: Value): never {
  throw new SampanError("internal", `Cannot use ${JSON.stringify(value)} as ${type} of a firewall rule`);
}

function sized(type: string, size: number, bytes: Uint8Array): Uint8Array {
  return bytes.length === size ? bytes : refuse(`${type} (${size} bytes)`, ipTextOr(bytes));
}

function ipTextOr(bytes: Uint8Array): string {
  return bytes.length === 4 || bytes.length === 16 ? ipText(bytes) : Buffer.from(bytes).toString("hex");
}

/** Numbers of one to four bytes, with names for some. */
function integer(
  name: string,
  id: number,
  size: 1 | 2 | 4,
  order: "host" | "network",
  names: Readonly<Record<string, number>> = {},
): DataType {
  const byNumber = new Map(Object.entries(names).map(([text, number]) => [number, text]));
  return {
    name,
    id,
    size,
    order,
    encode(value) {
      if (value instanceof Uint8Array) return sized(name, size, value);
      const number = typeof value === "string" ? (names[value] ?? refuse(name, value)) : value;
      if (!Number.isInteger(number) || number < 0 || number >= 2 ** (size * 8)) refuse(name, value);
      const bytes = Buffer.alloc(size);
      if (order === "host") bytes.writeUIntLE(number, 0, size);
      else bytes.writeUIntBE(number, 0, size);
      return bytes;
    },
    decode(bytes) {
      const buffer = Buffer.from(bytes);
      const number = order === "host" ? buffer.readUIntLE(0, size) : buffer.readUIntBE(0, size);
      return byNumber.get(number) ?? number;
    },
  };
}

function address(name: string, id: number, size: 4 | 16): DataType {
  return {
    name,
    id,
    size,
    order: "network",
    encode: (value) =>
      sized(
        name,
        size,
        value instanceof Uint8Array ? value : ipBytes(typeof value === "string" ? value : refuse(name, value)),
      ),
    decode: ipText,
  };
}

/** A link's name, filled up with zeros. */
const ifname: DataType = {
  name: "ifname",
  id: 41,
  size: IFNAMSIZ,
  order: "host",
  encode(value) {
    if (value instanceof Uint8Array) return sized("ifname", IFNAMSIZ, value);
    if (typeof value === "number" || value === "" || Buffer.byteLength(value) >= IFNAMSIZ) refuse("ifname", value);
    const bytes = Buffer.alloc(IFNAMSIZ);
    bytes.write(value);
    return bytes;
  },
  decode(bytes) {
    const end = bytes.indexOf(0);
    return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
  },
};

const mac: DataType = {
  name: "ether_addr",
  id: 9,
  size: 6,
  order: "network",
  encode: (value) =>
    value instanceof Uint8Array
      ? sized("ether_addr", 6, value)
      : macBytes(typeof value === "string" ? value : refuse("ether_addr", value)),
  decode: macText,
};

const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58, sctp: 132 };
const states = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 };
const statuses = { expected: 1, "seen-reply": 2, assured: 4, confirmed: 8, snat: 16, dnat: 32, dying: 512 };
const addressTypes = { unicast: 1, local: 2, broadcast: 3, anycast: 4, multicast: 5, blackhole: 6, unreachable: 7 };

/** The types that keys, values and fields have, by nft(8)'s names. */
export const types = {
  ifname,
  ipv4_addr: address("ipv4_addr", 7, 4),
  ipv6_addr: address("ipv6_addr", 8, 16),
  ether_addr: mac,
  ether_type: integer("ether_type", 10, 2, "network", { ip: 0x800, arp: 0x806, ip6: 0x86dd }),
  inet_proto: integer("inet_proto", 12, 1, "network", protocols),
  inet_service: integer("inet_service", 13, 2, "network"),
  nf_proto: integer("nf_proto", 2, 1, "host", { ipv4: AF_INET, ipv6: AF_INET6 }),
  tcp_flag: integer("tcp_flag", 15, 1, "network", { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 }),
  icmp_type: integer("icmp_type", 14, 1, "network", { "echo-reply": 0, "echo-request": 8 }),
  mark: integer("mark", 19, 4, "host"),
  iface_index: integer("iface_index", 20, 4, "host"),
  uid: integer("uid", 24, 4, "host"),
  ct_state: integer("ct_state", 26, 4, "host", states),
  ct_dir: integer("ct_dir", 27, 1, "host", { original: 0, reply: 1 }),
  ct_status: integer("ct_status", 28, 4, "host", statuses),
  pkt_type: integer("pkt_type", 31, 1, "host", { host: 0, broadcast: 1, multicast: 2, other: 3 }),
  fib_addrtype: integer("fib_addrtype", 38, 4, "host", addressTypes),
  /** Plain numbers of packets: a length, a hop limit. */
  byte: integer("integer", 4, 1, "network"),
  short: integer("integer", 4, 2, "network"),
  hostInteger: integer("integer", 4, 4, "host"),
} as const satisfies Record<string, DataType>;

/** Concatenated fields lie in registers of four bytes. */
export function paddedSize(type: DataType): number {
  return (type.size + 3) & ~3;
}

export function totalSize(parts: readonly DataType[]): number {
  const [only] = parts;
  return parts.length === 1 && only ? only.size : parts.reduce((sum, type) => sum + paddedSize(type), 0);
}

/** How nft(8) numbers a concatenation: six bits for each part. */
export function typeId(parts: readonly DataType[]): number {
  return parts.reduce((id, type) => ((id << 6) | type.id) >>> 0, 0);
}

/** Several values behind each other, each filled up to four bytes; a single one is as long as its type. */
export function encodeValues(parts: readonly DataType[], values: readonly Value[]): Uint8Array {
  if (parts.length !== values.length)
    throw new SampanError("internal", `Cannot use ${values.length} values where ${parts.length} are concatenated`);
  const bytes = new Uint8Array(totalSize(parts));
  let at = 0;
  for (const [index, type] of parts.entries()) {
    bytes.set(type.encode(values[index] ?? refuse(type.name, "nothing")), at);
    at += paddedSize(type);
  }
  return bytes;
}

/** The opposite of `encodeValues`. */
export function decodeValues(parts: readonly DataType[], bytes: Uint8Array): (string | number)[] {
  let at = 0;
  return parts.map((type) => {
    const value = type.decode(bytes.subarray(at, at + type.size));
    at += paddedSize(type);
    return value;
  });
}
