/** Numbers of RFC 1035 §3.2.2, §4.1.1 and RFC 3596. */
export const type = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const rcode = { ok: 0, format: 1, failure: 2, noName: 3, notImplemented: 4, refused: 5 } as const;
export const headerSize = 12;

const classInternet = 1;
const queryOpcode = 0;
const longestName = 255;

/** A message with one question. */
export interface Query {
  /** The message as it came. */
  readonly bytes: Buffer;
  /** As people write it, in lower case and without the dot at its end; bytes that are no letters are "\ddd" (RFC 1035 §5.1). */
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
  const found = readName(bytes, headerSize);
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

/** A name without compression: there is nothing before a question that it could point to. */
function readName(bytes: Buffer, start: number): { name: string; end: number } | undefined {
  let name = "";
  for (let at = start; at - start < longestName; ) {
    const length = bytes[at++];
    if (length === 0) return { name: name.toLowerCase(), end: at };
    if (length === undefined || length > 63 || at + length > bytes.length) return undefined;
    const label = printLabel(bytes.toString("latin1", at, at + length));
    name = name === "" ? label : `${name}.${label}`;
    at += length;
  }
  return undefined;
}

/** A dot within a label must not look like one between labels: what is allowed or ours is decided by this text. */
function printLabel(label: string): string {
  if (!/[^!-~]|[.\\]/.test(label)) return label;
  return label.replace(/[^!-~]|[.\\]/g, (odd) =>
    odd === "." || odd === "\\" ? `\\${odd}` : `\\${String(odd.charCodeAt(0)).padStart(3, "0")}`,
  );
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
