import { type Attribute, be32, u8 } from "../attribute.ts";
import { type Expression, expression, register } from "./expression.ts";
import { type DataType, types } from "./types.ts";

/** What must be known of a packet before a part of it can be read. */
export type Guard = "ipv4" | "ipv6" | "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";

/** Something of a packet or its connection that a rule reads. */
export interface Field {
  readonly type: DataType;
  /** A rule that reads it matches only packets that have it. */
  readonly guard?: Guard;
  /** Puts it into a register. */
  load(word: number): Expression;
}

/** include/uapi/linux/netfilter/nf_tables.h, enum nft_meta_keys, and what each is. */
const metaKeys = {
  length: [0, types.hostInteger],
  protocol: [1, types.ether_type],
  /** What queues of links go by: skb->priority. */
  priority: [2, types.hostInteger],
  mark: [3, types.mark],
  iif: [4, types.iface_index],
  oif: [5, types.iface_index],
  iifname: [6, types.ifname],
  oifname: [7, types.ifname],
  skuid: [10, types.uid],
  nfproto: [15, types.nf_proto],
  l4proto: [16, types.inet_proto],
  /** The bridge whose port it came by or leaves by; in the family bridge. */
  ibrname: [17, types.ifname],
  obrname: [18, types.ifname],
  pkttype: [19, types.pkt_type],
  cgroup: [23, types.hostInteger],
} as const satisfies Record<string, readonly [number, DataType]>;
export type MetaKey = keyof typeof metaKeys;

/** What the kernel knows about the packet: links, protocol, mark. */
export function meta(key: MetaKey): Field {
  const [number, type] = metaKeys[key];
  return { type, load: (word) => expression("meta", [be32(1, register(word)), be32(2, number)]) };
}

/** `meta mark set`, `meta priority set` from a register. */
export function storeMeta(key: "mark" | "priority", word: number): Expression {
  return expression("meta", [be32(3, register(word)), be32(2, metaKeys[key][0])]);
}

const NFT_CT_MARK = 3;

function connection(number: number, type: DataType, direction?: 0 | 1): Field {
  const more: Attribute[] = direction === undefined ? [] : [u8(3, direction)];
  return {
    type,
    load: (word) => expression("ct", [be32(1, register(word)), be32(2, number), ...more]),
  };
}

function tuple(direction: 0 | 1) {
  return {
    protocol: connection(10, types.inet_proto, direction),
    sport: connection(11, types.inet_service, direction),
    dport: connection(12, types.inet_service, direction),
    // A connection of the other family has none: the rule goes no further.
    ipv4: {
      saddr: connection(19, types.ipv4_addr, direction),
      daddr: connection(20, types.ipv4_addr, direction),
    },
    ipv6: {
      saddr: connection(21, types.ipv6_addr, direction),
      daddr: connection(22, types.ipv6_addr, direction),
    },
  };
}

/** What the kernel knows about the packet's connection. `original` is as its first packet was before any translation. */
export const ct = {
  state: connection(0, types.ct_state),
  direction: connection(1, types.ct_dir),
  status: connection(2, types.ct_status),
  mark: connection(NFT_CT_MARK, types.mark),
  original: tuple(0),
  reply: tuple(1),
};

/** `ct mark set` from a register. */
export function storeConnectionMark(word: number): Expression {
  return expression("ct", [be32(4, register(word)), be32(2, NFT_CT_MARK)]);
}

const bases = { link: 0, network: 1, transport: 2 } as const;

function bytesAt(base: keyof typeof bases, offset: number, type: DataType, guard?: Guard): Field {
  const attributes = [be32(2, bases[base]), be32(3, offset), be32(4, type.size)];
  return {
    type,
    ...(guard ? { guard } : {}),
    load: (word) => expression("payload", [be32(1, register(word)), ...attributes]),
  };
}

function ports(guard?: Guard) {
  return {
    sport: bytesAt("transport", 0, types.inet_service, guard),
    dport: bytesAt("transport", 2, types.inet_service, guard),
  };
}

/** Bytes of the packet's headers. `th` is any transport with ports: the rule has to make sure that it is one. */
export const payload = {
  ether: {
    daddr: bytesAt("link", 0, types.ether_addr),
    saddr: bytesAt("link", 6, types.ether_addr),
    /** Of a VLAN's tag, where there is one, while meta("protocol") is what comes behind it. */
    type: bytesAt("link", 12, types.ether_type),
  },
  ipv4: {
    ttl: bytesAt("network", 8, types.byte, "ipv4"),
    protocol: bytesAt("network", 9, types.inet_proto, "ipv4"),
    saddr: bytesAt("network", 12, types.ipv4_addr, "ipv4"),
    daddr: bytesAt("network", 16, types.ipv4_addr, "ipv4"),
  },
  ipv6: {
    nexthdr: bytesAt("network", 6, types.inet_proto, "ipv6"),
    hoplimit: bytesAt("network", 7, types.byte, "ipv6"),
    saddr: bytesAt("network", 8, types.ipv6_addr, "ipv6"),
    daddr: bytesAt("network", 24, types.ipv6_addr, "ipv6"),
  },
  th: ports(),
  tcp: { ...ports("tcp"), flags: bytesAt("transport", 13, types.tcp_flag, "tcp") },
  udp: ports("udp"),
  sctp: ports("sctp"),
  icmp: { type: bytesAt("transport", 0, types.icmp_type, "icmp") },
  icmpv6: { type: bytesAt("transport", 0, types.byte, "icmpv6") },
};

const FIB_RESULT_OIF = 1;
const FIB_RESULT_OIFNAME = 2;
const FIB_RESULT_ADDRTYPE = 3;
const fibFlags = { saddr: 1, daddr: 2, mark: 4, iif: 8, oif: 16 } as const;

function route(flags: number, result: number, type: DataType): Field {
  return { type, load: (word) => expression("fib", [be32(1, register(word)), be32(2, result), be32(3, flags)]) };
}

function routes(flags: number) {
  return {
    /** "local" where it is an address of the machine. */
    type: route(flags, FIB_RESULT_ADDRTYPE, types.fib_addrtype),
    oif: route(flags, FIB_RESULT_OIF, types.iface_index),
    oifname: route(flags, FIB_RESULT_OIFNAME, types.ifname),
    /** The same, as seen from the link the packet came by. */
    iif: {
      type: route(flags | fibFlags.iif, FIB_RESULT_ADDRTYPE, types.fib_addrtype),
      oif: route(flags | fibFlags.iif, FIB_RESULT_OIF, types.iface_index),
    },
  };
}

/** What the machine's routes say about the packet's addresses. */
export const fib = { saddr: routes(fibFlags.saddr), daddr: routes(fibFlags.daddr) };
