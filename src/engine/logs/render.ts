import { rfc3339Fixed } from "../time.ts";
import { frameHeaderSize, type LogRecord } from "./record.ts";

export interface RenderOptions {
  /** No frames: the bytes as they came. */
  readonly tty: boolean;
  readonly timestamps: boolean;
  /** Goes in front of every line, after the timestamp. */
  readonly prefix: string;
}

const newline = 10;

/** Makes of records what goes over the wire: Docker's frames, each line prefixed if that was asked for. */
export class LogRenderer {
  readonly #options: RenderOptions;
  /** Streams in the middle of a line. */
  readonly #inside = new Set<number>();

  constructor(options: RenderOptions) {
    this.#options = options;
  }

  render(records: readonly LogRecord[]): Buffer {
    const { tty, timestamps, prefix } = this.#options;
    const parts: Buffer[] = [];
    for (const record of records) {
      const plain = !timestamps && prefix === "";
      const payload = plain ? record.payload : this.#prefixed(record);
      if (!tty)
        parts.push(payload.length === record.payload.length ? record.frameHeader : frame(record.stream, payload));
      parts.push(payload);
    }
    return Buffer.concat(parts);
  }

  #prefixed({ stream, time, payload }: LogRecord): Buffer {
    const head = Buffer.from(`${this.#options.timestamps ? `${rfc3339Fixed(time)} ` : ""}${this.#options.prefix}`);
    const parts: Buffer[] = [];
    for (let from = 0; from < payload.length; ) {
      const at = payload.indexOf(newline, from);
      const to = at < 0 ? payload.length : at + 1;
      if (!this.#inside.has(stream)) parts.push(head);
      parts.push(payload.subarray(from, to));
      if (at < 0) this.#inside.add(stream);
      else this.#inside.delete(stream);
      from = to;
    }
    return Buffer.concat(parts);
  }
}

/** Docker's frame header: { u8 stream, u8[3] 0, u32 BE length }. */
export function frame(stream: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(frameHeaderSize);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return header;
}
