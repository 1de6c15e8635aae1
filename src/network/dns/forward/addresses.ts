import { SampanError } from "../../../errors/index.ts";
import { addressOfBytes, printAddress } from "../../addresses/address.ts";
import { readName } from "../name.ts";
import { type Query, type } from "../query.ts";
import type { DnsAnswer } from "../types.ts";

const recordHead = 10; // type, class, TTL, length
const sizes: Partial<Record<number, number>> = { [type.A]: 4, [type.AAAA]: 16 };

interface AnswerRecord {
  readonly name: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  /** An address, or the name that a CNAME leads to. */
  readonly value: string;
}

/**
 * The addresses in an answer that its question leads to, through CNAMEs or not; what else a server may have put in is
 * left out. `invalid` for a message that is malformed: the asker may read it in another way.
 */
export function addressesIn(reply: Buffer, query: Query): DnsAnswer[] {
  const records = readRecords(reply, query.end);
  const aliases = new Map(
    records.filter((record) => record.type === type.CNAME).map((record) => [record.name, record]),
  );
  const reached = new Map<string, number>();
  let { name } = query;
  for (let ttl = 0xffffffff; !reached.has(name); ) {
    reached.set(name, ttl);
    const alias = aliases.get(name);
    if (!alias) break;
    ttl = Math.min(ttl, alias.ttl);
    name = alias.value;
  }
  return records.flatMap((record) => {
    const ttl = reached.get(record.name);
    if (record.type === type.CNAME || ttl === undefined) return [];
    return [{ name: record.name, address: record.value, ttl: Math.min(ttl, record.ttl) }];
  });
}

/** The answer section's addresses and CNAMEs. */
function readRecords(reply: Buffer, start: number): AnswerRecord[] {
  const records: AnswerRecord[] = [];
  if (reply.readUInt16BE(4) === 0) return records; // a failure that leaves the question out
  let at = start;
  for (let rest = reply.readUInt16BE(6); rest > 0; rest--) {
    const owner = readName(reply, at, true);
    const head = owner?.end ?? 0;
    if (!owner || head + recordHead > reply.length) throw malformed();
    const data = head + recordHead;
    at = data + reply.readUInt16BE(head + 8);
    if (at > reply.length) throw malformed();
    const kind = reply.readUInt16BE(head);
    const value = readValue(reply, kind, data, at);
    if (value !== undefined) records.push({ name: owner.name, type: kind, ttl: reply.readUInt32BE(head + 4), value });
  }
  return records;
}

function readValue(reply: Buffer, kind: number, start: number, end: number): string | undefined {
  if (kind === type.CNAME) {
    const target = readName(reply, start, true);
    if (target?.end !== end) throw malformed();
    return target.name;
  }
  const size = sizes[kind];
  if (size === undefined) return undefined;
  if (end - start !== size) throw malformed();
  return printAddress(addressOfBytes(reply.subarray(start, end)));
}

function malformed(): SampanError {
  return new SampanError("invalid", "Cannot read a name server's answer: it is malformed");
}
