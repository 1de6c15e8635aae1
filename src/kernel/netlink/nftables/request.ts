import { SampanError } from "../../../errors/index.ts";
import { type Attribute, bytes } from "../attribute.ts";
import { type Encoded, encodeRequests } from "../batch.ts";
import type { Request } from "../message.ts";
import { type Family, families, NFNL_SUBSYS_NFTABLES, nfRequest } from "../nfnetlink.ts";

/** The table that something is in. */
export interface Table {
  readonly family: Family;
  readonly name: string;
}

const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;

/** A message about something in a table of `family`; all families where there is none. */
export function nftRequest(
  message: number,
  family: Family | undefined,
  flags: number,
  attributes: readonly Attribute[],
): Request {
  return nfRequest(NFNL_SUBSYS_NFTABLES, message, families[family ?? "unspecified"], flags, attributes);
}

export const beginBatch: Request = bracket(NFNL_MSG_BATCH_BEGIN);
export const endBatch: Request = bracket(NFNL_MSG_BATCH_END);

/**
 * The bytes of a transaction: the kernel carries out all of it or nothing, in one moment for the packets. The last
 * message asks for the acknowledgement, which follows the errors of those that fail.
 */
export function transaction(requests: readonly Request[], first = 1): Uint8Array {
  return transactionWithHoles(requests, first).bytes;
}

/** As `transaction`, for messages that need a number which only the running program knows. */
export function transactionWithHoles(requests: readonly Request[], first = 1): Encoded {
  // The end's acknowledgement came with Linux 6.10: the last message within asks.
  return encodeRequests([beginBatch, ...requests, endBatch], first, requests.length);
}

/** A comment as nft(8) writes it into user data. */
export function comment(attribute: number, type: number, text: string | undefined): Attribute[] {
  return text === undefined ? [] : [bytes(attribute, udata(type, Buffer.from(`${text}\0`)))];
}

/** A piece of user data: type, length, value of at most 255 bytes. */
export function udata(type: number, value: Uint8Array): Uint8Array {
  if (value.length > 255)
    throw new SampanError("internal", `Cannot attach ${value.length} bytes of user data: 255 is the most`);
  return Buffer.concat([Uint8Array.of(type, value.length), value]);
}

/** The comment in user data that nft(8) or we wrote. */
export function readComment(userdata: Uint8Array | undefined, wanted: number): string | undefined {
  if (!userdata) return undefined;
  for (let at = 0; at + 2 <= userdata.length; ) {
    const [type, length = 0] = userdata.subarray(at, at + 2);
    const value = userdata.subarray(at + 2, at + 2 + length);
    if (type === wanted) return Buffer.from(value).toString().replace(/\0$/, "");
    at += 2 + length;
  }
  return undefined;
}

/** The resource is the subsystem, in the network's order. */
function bracket(type: number): Request {
  return { type, flags: 0, body: Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES), attributes: [] };
}
