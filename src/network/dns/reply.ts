import { ednsSize, headerSize, type Query, type Refusal, type as recordType } from "./query.ts";

/** One record about the name that was asked for. */
export interface ReplyRecord {
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * How long an asker may remember a container's address, in seconds. Docker says 600, which people who use proxies in front of
 * containers have to override, because containers come and go more often.
 */
const timeToLive = 10;

const smallestDatagram = 512;
const largestMessage = 65_535;
/** What we take; beyond it datagrams would be fragmented on some ways (DNS flag day 2020). */
const ourDatagram = 1232;

const recordHead = 12; // a pointer to the question's name, type, class, TTL, length
const optSize = 11;

/** The answer to a question with these records, as many as its way back takes: of the others TC tells. */
export function encodeReply(query: Query, records: readonly ReplyRecord[], way: "udp" | "tcp"): Buffer {
  const edns = ednsSize(query);
  const limit = way === "tcp" ? largestMessage : Math.max(smallestDatagram, edns ?? 0);
  let size = query.end + (edns === undefined ? 0 : optSize);
  let count = 0;
  for (const { data } of records) {
    if (size + recordHead + data.length > limit) break;
    size += recordHead + data.length;
    count++;
  }
  const reply = startReply(query.bytes, query.end, size, 0);
  if (count < records.length) reply.writeUInt8(reply.readUInt8(2) | 0x02, 2); // TC
  reply.writeUInt16BE(count, 6);
  let at = query.end;
  for (let index = 0; index < count; index++) at = writeRecord(reply, at, records[index] as ReplyRecord);
  if (edns !== undefined) writeOpt(reply, at);
  return reply;
}

/** An answer that only says why there is none; with the question where it could be read. */
export function encodeRefusal(query: Query | Refusal, rcode: number): Buffer {
  const end = "end" in query ? query.end : headerSize;
  const edns = "end" in query && ednsSize(query) !== undefined;
  const reply = startReply(query.bytes, end, end + (edns ? optSize : 0), rcode);
  if (edns) writeOpt(reply, end);
  return reply;
}

/** Header and question as they came, for askers compare them byte by byte (draft-vixie-dnsext-dns0x20). */
function startReply(bytes: Buffer, end: number, size: number, rcode: number): Buffer {
  const reply = Buffer.allocUnsafe(size);
  bytes.copy(reply, 0, 0, end);
  reply.writeUInt8(0x80 | (reply.readUInt8(2) & 0x79), 2); // QR; opcode and RD as asked
  reply.writeUInt8(0x80 | (reply.readUInt8(3) & 0x10) | rcode, 3); // RA; CD as asked
  reply.writeUInt16BE(end > headerSize ? 1 : 0, 4);
  reply.fill(0, 6, headerSize);
  return reply;
}

function writeRecord(reply: Buffer, at: number, { type, data }: ReplyRecord): number {
  reply.writeUInt16BE(0xc000 | headerSize, at); // the question's name
  reply.writeUInt16BE(type, at + 2);
  reply.writeUInt16BE(1, at + 4);
  reply.writeUInt32BE(timeToLive, at + 6);
  reply.writeUInt16BE(data.length, at + 10);
  reply.set(data, at + recordHead);
  return at + recordHead + data.length;
}

/** An asker that speaks EDNS is answered in it: RFC 6891 §7. */
function writeOpt(reply: Buffer, at: number): void {
  reply.fill(0, at, at + optSize);
  reply.writeUInt16BE(recordType.OPT, at + 1);
  reply.writeUInt16BE(ourDatagram, at + 3);
  reply.writeUInt16BE(1, 10);
}
