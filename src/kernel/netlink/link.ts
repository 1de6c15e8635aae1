import { encodeMessage, NLM_F_ACK } from "./message.ts";

/** rtnetlink(7), include/uapi/linux/rtnetlink.h and if_link.h. */
export const RTM_NEWLINK = 16;
export const IFF_UP = 1;
/** A network namespace's loopback is always its first link. */
export const loopbackIndex = 1;

/** struct ifinfomsg. */
export interface LinkHeader {
  readonly index: number;
  /** IFF_* to set where `change` has the same bit. */
  readonly flags: number;
  readonly change: number;
}

export function encodeLinkHeader({ index, flags, change }: LinkHeader): Uint8Array {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}

/** Brings a link up, as `ip link set up`. The kernel answers with an acknowledgement. Needs CAP_NET_ADMIN in its namespace. */
export function linkUp(index: number, sequence: number): Uint8Array {
  const body = encodeLinkHeader({ index, flags: IFF_UP, change: IFF_UP });
  return encodeMessage({ type: RTM_NEWLINK, flags: NLM_F_ACK, sequence, body, attributes: [] });
}
