import { SampanError } from "../errors/index.ts";

/** What stands for a piece of memory where people read a program; a function is only called then. */
type Label = string | (() => string);

/**
 * The one block of memory that a program works on: constant data first, then the results region, which is zero at the
 * start and comes back when the program ends. Offsets are final only when the program is encoded, so everything that
 * points into the block is a `Ref`.
 */
export class Ref {
  readonly region: "data" | "results";
  readonly offset: number;
  readonly size: number;
  readonly #label: Label;

  constructor(region: "data" | "results", offset: number, size: number, label: Label = "") {
    this.region = region;
    this.offset = offset;
    this.size = size;
    this.#label = label;
  }

  /** What a reader of the program sees instead of an address; made when one reads it, which is seldom. */
  get label(): string {
    return typeof this.#label === "string" ? this.#label : this.#label();
  }

  /** The same memory from `offset` bytes on. */
  at(offset: number): Ref {
    return new Ref(this.region, this.offset + offset, this.size - offset, this.#label);
  }
}

/** A signed variable. As an argument it stands for its value; `slot.address` stands for where it is. */
export class Slot {
  readonly address: Ref;
  /** Size in bytes: 8, or 4 for an `int` that the kernel writes. */
  readonly width: 4 | 8;
  constructor(address: Ref, width: 4 | 8 = 8) {
    this.address = address;
    this.width = width;
  }
}

/** A number with the text that a reader of the program should see, for example flags by name. */
export class Named {
  readonly value: number | bigint;
  readonly text: string;
  constructor(value: number | bigint, text: string) {
    this.value = value;
    this.text = text;
  }
}

/** `value` shown as `text` by --explain. */
export function named(value: number | bigint, text: string): Named {
  return new Named(value, text);
}

/** Bytes `from` to `to` of a block's constant data. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Collects the bytes of a block. Everything is 8-byte aligned. */
export class Block {
  #data = Buffer.alloc(16_384);
  #used = 0;
  #results = 0;
  #texts = new Map<string, Ref>();
  readonly #pointers: { at: Ref; to: Ref }[] = [];

  get dataSize(): number {
    return this.#used;
  }

  get resultSize(): number {
    return this.#results;
  }

  get size(): number {
    return this.#used + this.#results;
  }

  /** Constant bytes. */
  bytes(bytes: Uint8Array, label: Label = `<${bytes.length} bytes>`): Ref {
    const ref = this.#reserve(bytes.length, label);
    this.#data.set(bytes, ref.offset);
    return ref;
  }

  /** Where the constant data is that `body` adds. It shares no text with the rest. */
  apart(body: () => void): Range {
    const [from, texts] = [this.#used, this.#texts];
    this.#texts = new Map();
    body();
    this.#texts = texts;
    return { from, to: this.#used };
  }

  /** A NUL-terminated string; the same text is stored once. `invalid` for one that has a NUL inside: it would be cut. */
  text(text: string): Ref {
    const known = this.#texts.get(text);
    if (known) return known;
    if (text.includes("\0")) {
      throw new SampanError(
        "invalid",
        `Cannot use ${JSON.stringify(text)}: it has a NUL character, which would end it`,
      );
    }
    const length = Buffer.byteLength(text);
    const ref = this.#reserve(length + 1, () => JSON.stringify(text));
    this.#data.write(text, ref.offset, length);
    this.#data[ref.offset + length] = 0;
    this.#texts.set(text, ref);
    return ref;
  }

  /** A structure of 64-bit fields: numbers, or addresses that the helper fills in. */
  words(fields: readonly (number | bigint | Ref)[], label: Label): Ref {
    const ref = this.#reserve(fields.length * 8, label);
    for (const [index, field] of fields.entries()) {
      if (field instanceof Ref) this.point(ref.at(index * 8), field);
      else this.#writeWord(ref.offset + index * 8, field);
    }
    return ref;
  }

  /** Makes the 64-bit word at `at` the address of `to`. */
  point(at: Ref, to: Ref): void {
    this.#pointers.push({ at, to });
  }

  /** `size` zero bytes that come back with the results. */
  results(size: number, label: Label): Ref {
    const ref = new Ref("results", this.#results, size, label);
    this.#results += align(size);
    return ref;
  }

  /** Offset of `ref` in the finished block. */
  offsetOf(ref: Ref): number {
    return ref.region === "data" ? ref.offset : this.#used + ref.offset;
  }

  /** The constant data with pointers as block offsets, and where those pointers are. */
  finish(): { data: Buffer; relocations: number[] } {
    const relocations = this.#pointers.map(({ at, to }) => {
      if (at.region !== "data")
        throw new SampanError("internal", "a pointer lies in the results region, where nothing is initialised");
      this.#data.writeBigUInt64LE(BigInt(this.offsetOf(to)), at.offset);
      return at.offset;
    });
    return { data: this.#data.subarray(0, this.#used), relocations };
  }

  #writeWord(at: number, value: number | bigint): void {
    if (typeof value === "number" && value >= 0 && value <= 0xffffffff) this.#data.writeUInt32LE(value, at);
    else this.#data.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)), at);
  }

  #reserve(size: number, label: Label): Ref {
    const offset = this.#used;
    const end = offset + align(size);
    if (end > this.#data.length) {
      const grown = Buffer.alloc(Math.max(end, this.#data.length * 2));
      this.#data.copy(grown, 0, 0, offset);
      this.#data = grown;
    }
    this.#used = end;
    return new Ref("data", offset, size, label);
  }
}

function align(size: number): number {
  return (size + 7) & ~7;
}
