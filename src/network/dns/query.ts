import { readName } from "./name.ts";

/** Numbers of RFC 1035 §3.2.2, §4.1.1 and RFC 3596. */
export const type = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const rcode = { ok: 0, format: 1, failure: 2, noName: 3, notImplemented: 4, refused: 5 } as const;
export const headerSize = 12;

const classInternet = 1;
const queryOpcode = 0;

/** A message with one question. */
export interface Query {
  /** The message as it came. */
  readonly bytes: Buffer;
  /** As `readName` has it: in lower case. */
  readonly name: string;
  readonly type: number;
  /** Of the class IN, which names and addresses belong to. */
  readonly internet: boolean;
  /** Where the question ends. */
  readonly end: number;
}

/** A message that cannot be answered with records. */
export interface Refusal {
  readonly bytes: Buffer;
  readonly rcode: number;
}

/** Reads a question. Undefined for what gets no answer: fragments, and answers, for two resolvers must not talk for ever. */
export function parseQuery(bytes: Buffer): Query | Refusal | undefined {
  if (bytes.length < headerSize || isResponse(bytes)) return undefined;
  if (((bytes.readUInt8(2) >> 3) & 0xf) !== queryOpcode) return { bytes, rcode: rcode.notImplemented };
  if (bytes.readUInt16BE(4) !== 1) return { bytes, rcode: rcode.format };
  const found = readName(bytes, headerSize, false);
  if (!found || found.end + 4 > bytes.length) return { bytes, rcode: rcode.format };
  const { name, end } = found;
  return {
    bytes,
    name,
    type: bytes.readUInt16BE(end),
    internet: bytes.readUInt16BE(end + 2) === classInternet,
    end: end + 4,
  };
}

export function isResponse(bytes: Buffer): boolean {
  return bytes.readUInt8(2) >= 0x80;
}

/**
 * How large a datagram the asker takes, by its OPT record (RFC 6891 §6.1.2), which is the first behind a question; undefined
 * where there is none.
 */
export function ednsSize({ bytes, end }: Query): number | undefined {
  const alone = bytes.readUInt32BE(6) === 0 && bytes.readUInt16BE(10) > 0;
  if (!alone || end + 11 > bytes.length || bytes[end] !== 0 || bytes.readUInt16BE(end + 1) !== type.OPT)
    return undefined;
  return bytes.readUInt16BE(end + 3);
}
