import type { Attribute } from "./attribute.ts";
import type { Request } from "./message.ts";

/** include/uapi/linux/netfilter/nfnetlink.h: several netfilter parts share the NETLINK_NETFILTER socket. */
export const NFNL_SUBSYS_CTNETLINK = 1;
export const NFNL_SUBSYS_ULOG = 4;
export const NFNL_SUBSYS_NFTABLES = 10;

/** NFPROTO_*: the address families of netfilter. */
export const families = { unspecified: 0, inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 } as const;
export type Family = Exclude<keyof typeof families, "unspecified">;

export function familyName(number: number): Family | undefined {
  const found = Object.entries(families).find(([, value]) => value === number)?.[0];
  return found === "unspecified" ? undefined : (found as Family | undefined);
}

/** A message to a part of netfilter: struct nfgenmsg with family, version 0 and the resource's number, which few parts have. */
export function nfRequest(
  subsystem: number,
  message: number,
  family: number,
  flags: number,
  attributes: readonly Attribute[],
  resource = 0,
): Request {
  const body = Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
  return { type: (subsystem << 8) | message, flags, body, attributes };
}
