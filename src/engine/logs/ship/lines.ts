import { headerSize, lengthAt, timeAt } from "../record.ts";

/** A line of a container's output, without its newline. */
export interface Line {
  readonly stream: number;
  /** Unix nanoseconds: when its end was written. */
  readonly time: bigint;
  readonly text: Buffer;
  /** The line goes on in the next, or its newline never came. */
  readonly partial: boolean;
}

/** Bytes: what is longer is sent in pieces, as dockerd cuts. */
const longest = 16 * 1024;
const newline = 10;

/** Makes lines of records, each stream by itself. */
export class Lines {
  readonly #begun = new Map<number, Buffer>();

  /** Whether some line has begun and not ended. */
  get pending(): boolean {
    return this.#begun.size > 0;
  }

  /** The lines that complete records end; nothing of `bytes` is kept. */
  push(bytes: Buffer): Line[] {
    const lines: Line[] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const next = offset + headerSize + lengthAt(bytes, offset);
      const stream = bytes[offset] ?? 1;
      this.#split(bytes.subarray(offset + headerSize, next), { stream, time: timeAt(bytes, offset) }, lines);
      offset = next;
    }
    return lines;
  }

  /** What has begun and will not end any more. */
  end(time: bigint): Line[] {
    const left = [...this.#begun].map(([stream, text]): Line => ({ stream, time, text, partial: true }));
    this.#begun.clear();
    return left;
  }

  #split(payload: Buffer, { stream, time }: Pick<Line, "stream" | "time">, lines: Line[]): void {
    let rest = Buffer.concat([this.#begun.get(stream) ?? Buffer.alloc(0), payload]);
    this.#begun.delete(stream);
    while (rest.length > 0) {
      const at = rest.indexOf(newline);
      const end = at < 0 ? rest.length : at;
      if (end > longest) {
        lines.push({ stream, time, text: rest.subarray(0, longest), partial: true });
        rest = rest.subarray(longest);
      } else if (at < 0) {
        this.#begun.set(stream, rest);
        return;
      } else {
        lines.push({ stream, time, text: rest.subarray(0, at), partial: false });
        rest = rest.subarray(at + 1);
      }
    }
  }
}
