import { SampanError } from "../../errors/index.ts";
import type { Attribute } from "./attribute.ts";
import { Writer } from "./writer.ts";

/**
 * Netlink messages as bytes: struct nlmsghdr, a fixed body, attributes. netlink(7), include/uapi/linux/netlink.h. All
 * numbers are in the host's order, which is little-endian on both of our architectures.
 */

export const NLM_F_REQUEST = 0x01;
export const NLM_F_ACK = 0x04;
export const NLM_F_ROOT = 0x100;
export const NLM_F_MATCH = 0x200;
export const NLM_F_DUMP: number = NLM_F_ROOT | NLM_F_MATCH;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLA_F_NESTED = 0x8000;

export { type Attribute, type AttributeValue, u32 } from "./attribute.ts";

/** What is asked of the kernel, as plain data; `batch` gives it a sequence number and makes bytes of it. */
export interface Request {
  readonly type: number;
  /** NLM_F_*; NLM_F_REQUEST is added. */
  readonly flags: number;
  /** The fixed structure behind the header: struct ifinfomsg and the like. */
  readonly body: Uint8Array;
  readonly attributes: readonly Attribute[];
}

export interface Message extends Request {
  /** Comes back in the answer. */
  readonly sequence: number;
}

const headerSize = 16;

/** The message, padded to 4 bytes so that several can follow each other. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new Writer();
  writeMessage(writer, message, message.flags, message.sequence);
  return writer.finish();
}

export function writeMessage(writer: Writer, request: Request, flags: number, sequence: number): void {
  const header = writer.header(request.type, flags | NLM_F_REQUEST, sequence);
  writer.bytes(request.body);
  writer.attributes(request.attributes);
  writer.end(header);
}

/** struct nlattr: length and type, then the value, padded to 4 bytes that the length does not count. */
export function encodeAttribute(attribute: Attribute): Uint8Array {
  const writer = new Writer();
  writer.attribute(attribute);
  return writer.finish();
}

export interface ReceivedMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Body and attributes. */
  readonly payload: Uint8Array;
}

/** The messages of one datagram; throws `internal` for one that is cut short. */
export function decodeMessages(datagram: Uint8Array): ReceivedMessage[] {
  const bytes = viewOf(datagram);
  const messages: ReceivedMessage[] = [];
  for (let at = 0; at + headerSize <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < headerSize || at + length > bytes.length) throw cutShort("message", length);
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      payload: bytes.subarray(at + headerSize, at + length),
    });
    at += align4(length);
  }
  return messages;
}

/** The attributes in `bytes`, by type without its flag bits; of one that comes twice the last. */
export function decodeAttributes(attributes: Uint8Array): Map<number, Uint8Array> {
  return new Map(decodeAttributeList(attributes).map(({ type, value }) => [type, value]));
}

/** The attributes in `bytes` in order: lists have many of one type. */
export function decodeAttributeList(attributes: Uint8Array): { type: number; value: Uint8Array }[] {
  const bytes = viewOf(attributes);
  const found: { type: number; value: Uint8Array }[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) throw cutShort("attribute", length);
    found.push({ type: bytes.readUInt16LE(at + 2) & 0x3fff, value: bytes.subarray(at + 4, at + length) });
    at += align4(length);
  }
  return found;
}

/**
 * The errno in the kernel's answer to the request with this sequence number: 0 is the acknowledgement it asked for.
 * Undefined when the datagram answers something else.
 */
export function acknowledgement(datagram: Uint8Array, sequence: number): number | undefined {
  for (const message of decodeMessages(datagram)) {
    if (message.type !== NLMSG_ERROR || message.sequence !== sequence || message.payload.length < 4) continue;
    return 0 - viewOf(message.payload).readInt32LE(0);
  }
  return undefined;
}

function cutShort(what: string, length: number): SampanError {
  return new SampanError("internal", `Cannot read a netlink ${what} of ${length} bytes: it is cut short`);
}

function align4(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
