const lengthSize = 2;

/** Messages on a TCP connection: each has its length before it, in two bytes. RFC 1035 §4.2.2. */
export class Stream {
  readonly #largest: number;
  #rest: Buffer = Buffer.alloc(0);

  /** `largest` is the size of the largest message that is taken. */
  constructor(largest = 65_535) {
    this.#largest = largest;
  }

  /** The messages that are complete with `chunk`; undefined when a larger one than allowed begins. */
  add(chunk: Buffer): Buffer[] | undefined {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    while (bytes.length >= lengthSize) {
      const end = lengthSize + bytes.readUInt16BE(0);
      if (end > lengthSize + this.#largest) return undefined;
      if (bytes.length < end) break;
      messages.push(bytes.subarray(lengthSize, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    return messages;
  }
}

export function withLength(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(lengthSize + message.length);
  bytes.writeUInt16BE(message.length, 0);
  message.copy(bytes, lengthSize);
  return bytes;
}
