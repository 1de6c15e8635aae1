/** The records of a PAX extended header (pax(1), "pax Extended Header"). */
export interface PaxRecords {
  /** Keyword → value as a byte string; an empty value takes back a global one. */
  readonly values: Map<string, string>;
  /** Extended attributes of SCHILY.xattr.NAME. */
  readonly xattrs: Map<string, Buffer>;
  /** GNU.sparse.offset and GNU.sparse.numbytes of format 0.0 repeat, so they are kept in order. */
  readonly sparse: string[];
}

const XATTR = "SCHILY.xattr.";

/** No records. */
export function noRecords(): PaxRecords {
  return { values: new Map(), xattrs: new Map(), sparse: [] };
}

/** Later records win over earlier ones; `over` wins over `under`. */
export function mergeRecords(under: PaxRecords, over: PaxRecords): PaxRecords {
  return {
    values: new Map([...under.values, ...over.values]),
    xattrs: new Map([...under.xattrs, ...over.xattrs]),
    sparse: over.sparse.length > 0 ? over.sparse : under.sparse,
  };
}

/** Parses "length key=value\n" records; a string says what is wrong. The values are copies. */
export function parsePax(bytes: Buffer): PaxRecords | string {
  const records = noRecords();
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 || space - at > 8 ? "" : bytes.toString("latin1", at, space);
    const end = at + Number(length);
    if (!/^\d+$/.test(length) || end <= space + 1 || end > bytes.length || bytes[end - 1] !== 0x0a) {
      // Some writers pad with NULs.
      return bytes.subarray(at).every((byte) => byte === 0) ? records : "an extended header record of a wrong length";
    }
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= end || equals === space + 1) return "an extended header record without a keyword";
    store(records, bytes.toString("latin1", space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function store(records: PaxRecords, key: string, value: Buffer): void {
  if (key.startsWith(XATTR)) records.xattrs.set(key.slice(XATTR.length), Buffer.from(value));
  else if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes")
    records.sparse.push(key, value.toString("latin1"));
  else records.values.set(key, value.toString("latin1"));
}
