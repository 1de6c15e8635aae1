const headerSize = 8;

/** Takes Docker's frames apart: whose output it is, and what. Frames may come in pieces of any size. */
export class Unframer {
  readonly #output: (stream: "stdout" | "stderr", data: Buffer) => void;
  #header = Buffer.alloc(0);
  #left = 0;

  constructor(output: (stream: "stdout" | "stderr", data: Buffer) => void) {
    this.#output = output;
  }

  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#left === 0) {
        const missing = headerSize - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < headerSize) return;
        this.#left = this.#header.readUInt32BE(4);
      }
      const payload = rest.subarray(0, this.#left);
      if (payload.length > 0) this.#output(this.#header[0] === 2 ? "stderr" : "stdout", Buffer.from(payload));
      rest = rest.subarray(payload.length);
      this.#left -= payload.length;
      if (this.#left === 0) this.#header = Buffer.alloc(0);
    }
  }
}
