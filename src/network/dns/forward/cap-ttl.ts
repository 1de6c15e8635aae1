import { readName } from "../name.ts";
import { type Query, type as recordType } from "../query.ts";

const recordHead = 10; // type, class, TTL, length

/** Lowers what a message says about how long its records may be used, in place. `addressesIn` has read it without complaint. */
export function capTtl(reply: Buffer, query: Query, longest: number): Buffer {
  if (reply.readUInt16BE(4) === 0) return reply;
  const records = reply.readUInt16BE(6) + reply.readUInt16BE(8) + reply.readUInt16BE(10);
  for (let left = records, at = query.end; left > 0; left--) {
    const head = readName(reply, at, true)?.end;
    if (head === undefined || head + recordHead > reply.length) return reply;
    // An OPT record has flags there
    const isRecord = reply.readUInt16BE(head) !== recordType.OPT;
    if (isRecord && reply.readUInt32BE(head + 4) > longest) reply.writeUInt32BE(longest, head + 4);
    at = head + recordHead + reply.readUInt16BE(head + 8);
  }
  return reply;
}
