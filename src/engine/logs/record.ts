/**
 * A monitor's log is a sequence of records: { u8 stream 1|2, u8[3] 0, u32 BE length, u64 BE Unix time in ns }, then the
 * bytes as they came. The first half of that header is Docker's frame header.
 */
export const headerSize = 16;
export const frameHeaderSize = 8;
/** A monitor reads this much at once. */
export const maxPayload = 64 * 1024;

/** One read of the container's output. `payload` is a view into what was read from the file. */
export interface LogRecord {
  /** 1 is stdout, 2 is stderr. */
  readonly stream: number;
  readonly time: bigint;
  readonly payload: Buffer;
  /** Docker's frame: the first half of the header, which is not next to the payload. */
  readonly frameHeader: Buffer;
}

/** Whether a header can begin at `offset`: what tells records from text when a file is read from its middle. */
export function isHeader(bytes: Buffer, offset: number): boolean {
  if (offset + headerSize > bytes.length) return false;
  const stream = bytes[offset];
  if (stream !== 1 && stream !== 2) return false;
  const zeros = (bytes[offset + 1] ?? 1) | (bytes[offset + 2] ?? 1) | (bytes[offset + 3] ?? 1);
  const length = bytes.readUInt32BE(offset + 4);
  return zeros === 0 && length > 0 && length <= maxPayload;
}

/** The complete records at the beginning of `bytes`, and where they end. */
export function parseRecords(bytes: Buffer): { readonly records: LogRecord[]; readonly end: number } {
  const records: LogRecord[] = [];
  let offset = 0;
  while (offset + headerSize <= bytes.length) {
    const length = bytes.readUInt32BE(offset + 4);
    const next = offset + headerSize + length;
    if (next > bytes.length) break;
    records.push({
      stream: bytes[offset] ?? 1,
      time: bytes.readBigUInt64BE(offset + 8),
      payload: bytes.subarray(offset + headerSize, next),
      frameHeader: bytes.subarray(offset, offset + frameHeaderSize),
    });
    offset = next;
  }
  return { records, end: offset };
}
