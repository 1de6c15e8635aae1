/**
 * Packets that rules with `log({ group })` of ../nftables hand over (nfnetlink_log): a NETLINK_NETFILTER socket that was made
 * in the rules' network namespace joins a group, then receives datagrams that `decodeLogged` reads. Include/uapi/linux/
 * netfilter/nfnetlink_log.h.
 */
import { type Attribute, be32, bytes, u8 } from "../attribute.ts";
import { present, readBe32, readText } from "../fields.ts";
import { decodeAttributes, decodeMessages, type Request } from "../message.ts";
import { NFNL_SUBSYS_ULOG, nfRequest } from "../nfnetlink.ts";
import { type Packet, readPacket } from "./packet.ts";

export type { Packet } from "./packet.ts";

const NFULNL_MSG_PACKET = 0;
const NFULNL_MSG_CONFIG = 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_TIMEOUT = 4;
const NFULA_CFG_QTHRESH = 5;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_PACKET = 2;

const NFULA_PACKET_HDR = 1;
const NFULA_MARK = 2;
const NFULA_IFINDEX_INDEV = 4;
const NFULA_IFINDEX_OUTDEV = 5;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;
const NFULA_UID = 11;

export interface Logged {
  readonly group: number;
  /** What the rule says before it: `log({ prefix })`. */
  readonly prefix: string;
  /** NF_INET_*: 1 is input, 2 forward, 3 output. */
  readonly hook: number;
  /** Index of the link it came by, or leaves by. */
  readonly inLink?: number;
  readonly outLink?: number;
  readonly mark?: number;
  /** Of the process that sent it. */
  readonly uid?: number;
  /** Undefined for what is no IP packet, or too little of one. */
  readonly packet?: Packet;
}

/** Joins a group: each packet is sent at once, with its first `length` bytes. EBUSY when another process has it. */
export function joinGroup(group: number, length = 128): Request {
  const mode = Uint8Array.of(0, 0, (length >> 8) & 0xff, length & 0xff, NFULNL_COPY_PACKET, 0);
  return configure(group, [
    u8(NFULA_CFG_CMD, NFULNL_CFG_CMD_BIND),
    bytes(NFULA_CFG_MODE, mode),
    be32(NFULA_CFG_QTHRESH, 1),
    be32(NFULA_CFG_TIMEOUT, 1),
  ]);
}

/** The packets in what was received. */
export function decodeLogged(received: Uint8Array): Logged[] {
  return decodeMessages(received)
    .filter(({ type }) => type === ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET))
    .map(({ payload }) => loggedOf(payload));
}

function configure(group: number, attributes: readonly Attribute[]): Request {
  return nfRequest(NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, 0, 0, attributes, group);
}

function loggedOf(message: Uint8Array): Logged {
  const attributes = decodeAttributes(message.subarray(4));
  const payload = attributes.get(NFULA_PAYLOAD);
  return {
    group: ((message[2] ?? 0) << 8) | (message[3] ?? 0),
    prefix: readText(attributes, NFULA_PREFIX) ?? "",
    hook: attributes.get(NFULA_PACKET_HDR)?.[2] ?? 0,
    ...present({
      inLink: readBe32(attributes, NFULA_IFINDEX_INDEV),
      outLink: readBe32(attributes, NFULA_IFINDEX_OUTDEV),
      mark: readBe32(attributes, NFULA_MARK),
      uid: readBe32(attributes, NFULA_UID),
      packet: payload && readPacket(payload),
    }),
  };
}
