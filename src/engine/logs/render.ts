import { rfc3339Fixed } from "../time.ts";
import { frameHeaderSize, headerSize, lengthAt, timeAt } from "./record.ts";

export interface RenderOptions {
  /** No frames: the bytes as they came. */
  readonly tty: boolean;
  readonly timestamps: boolean;
  /** Goes in front of every line, after the timestamp. */
  readonly prefix: string;
  readonly streams: ReadonlySet<number>;
  /** Unix nanoseconds, both included. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
}

const newline = 10;
const empty = Buffer.alloc(0);

/** Makes of records what goes over the wire: Docker's frames, each line prefixed if that was asked for. */
export class LogRenderer {
  readonly #options: RenderOptions;
  readonly #plain: boolean;
  /** Streams in the middle of a line. */
  readonly #inside = new Set<number>();
  /** A record was later than `until`: nothing more is wanted. */
  done = false;

  constructor(options: RenderOptions) {
    this.#options = options;
    this.#plain = !options.timestamps && options.prefix === "";
  }

  /** `bytes` are complete records, which are overwritten: the answer may be a part of them. */
  render(bytes: Buffer): Buffer {
    return this.#plain ? this.#inPlace(bytes) : this.#withPrefixes(bytes);
  }

  /** Closes the gaps that headers leave: no memory is asked for, and no object made for a record. */
  #inPlace(bytes: Buffer): Buffer {
    const header = this.#options.tty ? 0 : frameHeaderSize;
    let to = 0;
    for (let offset = 0; offset < bytes.length; ) {
      const next = offset + headerSize + lengthAt(bytes, offset);
      if (this.#wanted(bytes, offset)) {
        if (to === offset && header > 0) to += header;
        else for (let i = 0; i < header; i++) bytes[to++] = bytes[offset + i] ?? 0;
        bytes.copyWithin(to, offset + headerSize, next);
        to += next - offset - headerSize;
      } else if (this.done) break;
      offset = next;
    }
    return bytes.subarray(0, to);
  }

  #withPrefixes(bytes: Buffer): Buffer {
    const parts: Buffer[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const next = offset + headerSize + lengthAt(bytes, offset);
      if (this.#wanted(bytes, offset)) {
        const from = parts.push(empty);
        const length = this.#prefixed(bytes.subarray(offset, next), parts);
        if (!this.#options.tty) parts[from - 1] = frame(bytes[offset] ?? 1, length);
      } else if (this.done) break;
      offset = next;
    }
    return Buffer.concat(parts);
  }

  #wanted(bytes: Buffer, offset: number): boolean {
    const { streams, since, until } = this.#options;
    if (since !== undefined || until !== undefined) {
      const time = timeAt(bytes, offset);
      if (until !== undefined && time > until) {
        this.done = true;
        return false;
      }
      if (since !== undefined && time < since) return false;
    }
    return streams.has(bytes[offset] ?? 1);
  }

  /** Appends a record's lines to `parts`; how many bytes that are. */
  #prefixed(record: Buffer, parts: Buffer[]): number {
    const { timestamps, prefix } = this.#options;
    const head = Buffer.from(`${timestamps ? `${rfc3339Fixed(timeAt(record, 0))} ` : ""}${prefix}`);
    const stream = record[0] ?? 1;
    let heads = 0;
    for (let from = headerSize; from < record.length; ) {
      const at = record.indexOf(newline, from);
      const to = at < 0 ? record.length : at + 1;
      if (!this.#inside.has(stream)) heads = parts.push(head) && heads + 1;
      parts.push(record.subarray(from, to));
      if (at < 0) this.#inside.add(stream);
      else this.#inside.delete(stream);
      from = to;
    }
    return heads * head.length + record.length - headerSize;
  }
}

/** Docker's frame header: { u8 stream, u8[3] 0, u32 BE length }. */
export function frame(stream: number, length: number): Buffer {
  const header = Buffer.alloc(frameHeaderSize);
  header[0] = stream;
  header.writeUInt32BE(length, 4);
  return header;
}
