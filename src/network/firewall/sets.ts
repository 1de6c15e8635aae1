import type { NftSet } from "../../kernel/netlink/nftables/sets.ts";
import { types } from "../../kernel/netlink/nftables/types.ts";

const { ifname, ipv4_addr, ipv6_addr, inet_proto, inet_service } = types;

/**
 * The sets and maps of our table: networks and published ports are elements of them, so the rules are as many as they are
 * whatever there is. Links are known by name, so that an element is right before its link is made.
 */
export const sets = {
  /** All bridges of ours. */
  bridges: { name: "bridges", key: [ifname] },
  /** Each bridge with itself: traffic within one network. */
  same: { name: "same", key: [ifname, ifname] },
  /** Bridges whose containers do not reach each other (enable_icc=false). */
  secluded: { name: "secluded", key: [ifname] },
  /** From a container's address to another's, protocol and port: open on secluded bridges, too (`--link`). */
  linked4: { name: "linked4", key: [ipv4_addr, ipv4_addr, inet_proto, inet_service] },
  /** Bridges from and to which nothing is forwarded. */
  internal: { name: "internal", key: [ifname] },
  /** Bridges whose connections leave with the machine's address. */
  masquerade4: { name: "masquerade4", key: [ifname] },
  masquerade6: { name: "masquerade6", key: [ifname] },
  /** Bridges whose connections leave with this address. */
  source4: { name: "source4", key: [ifname], value: [ipv4_addr] },
  source6: { name: "source6", key: [ifname], value: [ipv6_addr] },
  /** Bridges that are routed to: containers answer pings from outside. */
  routed4: { name: "routed4", key: [ifname] },
  routed6: { name: "routed6", key: [ifname] },
  /** Bridges whose containers are reached at any of their ports. */
  unprotected4: { name: "unprotected4", key: [ifname] },
  unprotected6: { name: "unprotected6", key: [ifname] },
  /** Another link and a bridge that it may forward to. */
  trusted: { name: "trusted", key: [ifname, ifname] },
  /** Published at one address of the machine: address, protocol and port → the container's address and port. */
  publish4: { name: "publish4", key: [ipv4_addr, inet_proto, inet_service], value: [ipv4_addr, inet_service] },
  publish6: { name: "publish6", key: [ipv6_addr, inet_proto, inet_service], value: [ipv6_addr, inet_service] },
  /** Published at all of them. */
  everywhere4: { name: "everywhere4", key: [inet_proto, inet_service], value: [ipv4_addr, inet_service] },
  everywhere6: { name: "everywhere6", key: [inet_proto, inet_service], value: [ipv6_addr, inet_service] },
  /** Ranges of ports that are the same in the container. */
  range4: { name: "range4", key: [ipv4_addr, inet_proto, inet_service], value: [ipv4_addr], interval: true },
  range6: { name: "range6", key: [ipv6_addr, inet_proto, inet_service], value: [ipv6_addr], interval: true },
  rangeEverywhere4: { name: "range_everywhere4", key: [inet_proto, inet_service], value: [ipv4_addr], interval: true },
  rangeEverywhere6: { name: "range_everywhere6", key: [inet_proto, inet_service], value: [ipv6_addr], interval: true },
  /** Ports of containers on routed bridges that are open at the containers' own addresses. */
  open4: { name: "open4", key: [ipv4_addr, inet_proto, inet_service], interval: true },
  open6: { name: "open6", key: [ipv6_addr, inet_proto, inet_service], interval: true },
  /** Holds ::1 while the kernel cannot lead its connections to a container (see loopback-routes.ts). */
  unreachable6: { name: "unreachable6", key: [ipv6_addr] },
  /** Pairs of the machine's own links between which nothing was forwarded before we turned forwarding on. */
  unforwarded4: { name: "unforwarded4", key: [ifname, ifname] },
  unforwarded6: { name: "unforwarded6", key: [ifname, ifname] },
  /** Settings of the machine that we have changed: "ipv4" and "ipv6" stand for forwarding. */
  changed: { name: "changed", key: [ifname] },
} as const satisfies Record<string, NftSet>;

export type SetName = keyof typeof sets;
