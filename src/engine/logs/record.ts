/**
 * A monitor's log is a sequence of records: { u8 stream 1|2, u8[3] 0, u32 BE length, u64 BE Unix time in ns }, then the
 * bytes as they came. The first half of that header is Docker's frame header.
 */
export const headerSize = 16;
export const frameHeaderSize = 8;
/** A monitor reads this much at once. */
export const maxPayload = 256 * 1024;

/** One read of the container's output. `payload` is a view into what was read from the file. */
export interface LogRecord {
  /** 1 is stdout, 2 is stderr. */
  readonly stream: number;
  /** Where its header is. */
  readonly offset: number;
  readonly payload: Buffer;
}

/** Whether a header can begin at `offset`: what tells records from text when a file is read from its middle. */
export function isHeader(bytes: Buffer, offset: number): boolean {
  if (offset + headerSize > bytes.length) return false;
  const stream = bytes[offset];
  if (stream !== 1 && stream !== 2) return false;
  const zeros = (bytes[offset + 1] ?? 1) | (bytes[offset + 2] ?? 1) | (bytes[offset + 3] ?? 1);
  const length = lengthAt(bytes, offset);
  return zeros === 0 && length > 0 && length <= maxPayload;
}

/** Bytes of the record whose header is at `offset`, without the header. */
export function lengthAt(bytes: Buffer, offset: number): number {
  const high = ((bytes[offset + 4] ?? 0) << 24) | ((bytes[offset + 5] ?? 0) << 16);
  return (high | ((bytes[offset + 6] ?? 0) << 8) | (bytes[offset + 7] ?? 0)) >>> 0;
}

/** Unix nanoseconds. */
export function timeAt(bytes: Buffer, offset: number): bigint {
  return bytes.readBigUInt64BE(offset + 8);
}

/** Where the complete records at the beginning of `bytes` end. */
export function endOfRecords(bytes: Buffer): number {
  let offset = 0;
  while (offset + headerSize <= bytes.length) {
    const next = offset + headerSize + lengthAt(bytes, offset);
    if (next > bytes.length) break;
    offset = next;
  }
  return offset;
}

/** The complete records at the beginning of `bytes`. */
export function parseRecords(bytes: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  const end = endOfRecords(bytes);
  for (let offset = 0; offset < end; ) {
    const next = offset + headerSize + lengthAt(bytes, offset);
    records.push({ stream: bytes[offset] ?? 1, offset, payload: bytes.subarray(offset + headerSize, next) });
    offset = next;
  }
  return records;
}

/**
 * The first place in a block from which record follows record to its end; its length when there is none. `plausible` has
 * a say about each time: text can look like a header.
 */
export function firstRecord(block: Buffer, plausible: (time: bigint) => boolean = () => true): number {
  for (let start = 0; start + headerSize <= block.length; start++) {
    let offset = start;
    while (isHeader(block, offset) && plausible(timeAt(block, offset))) offset += headerSize + lengthAt(block, offset);
    // The monitor may be in the middle of appending the last one.
    if (offset > start && offset + headerSize > block.length) return start;
  }
  return block.length;
}
