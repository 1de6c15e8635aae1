import { type Attribute, type Framed, Hole, type NumberFormat } from "./attribute.ts";

const NLA_F_NESTED = 0x8000;
/** Scratch memory larger than this is given back after use. */
const keptScratch = 1 << 20;

const sizes: Readonly<Record<NumberFormat, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, be16: 2, be32: 4, be64: 8 };

let scratch = Buffer.alloc(16_384);

/**
 * Writes messages into memory that is used again, so that a batch costs one allocation: encoding is on the path of a
 * container's start. Life: `start` … → `finish`, without anything asynchronous between.
 */
export class Writer {
  /** Where each hole is, in the finished bytes. */
  readonly holes = new Map<Hole, number>();
  #bytes = scratch;
  #at = 0;

  get position(): number {
    return this.#at;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    if (this.#bytes.length <= keptScratch) scratch = this.#bytes;
    const copy = Buffer.allocUnsafe(this.#at);
    this.#bytes.copy(copy, 0, 0, this.#at);
    return copy;
  }

  /** Bytes, padded to 4. */
  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#advance(value.length);
  }

  /** struct nlmsghdr with a length that `end` fills in; returns what `end` wants. */
  header(type: number, flags: number, sequence: number): number {
    this.#room(16);
    const at = this.#at;
    this.#bytes.writeUInt16LE(type, at + 4);
    this.#bytes.writeUInt16LE(flags, at + 6);
    this.#bytes.writeUInt32LE(sequence, at + 8);
    this.#bytes.writeUInt32LE(0, at + 12); // the port id: the kernel fills it in
    this.#at = at + 16;
    return at;
  }

  end(header: number): void {
    this.#bytes.writeUInt32LE(this.#at - header, header);
  }

  attributes(attributes: readonly Attribute[]): void {
    for (let index = 0; index < attributes.length; index++) this.attribute(attributes[index] as Attribute);
  }

  /** struct nlattr: length and type, then the value, padded to 4 bytes that the length does not count. */
  attribute(attribute: Attribute): void {
    const start = this.#at;
    const { value } = attribute;
    this.#room(16);
    this.#at = start + 4;
    let { type } = attribute;
    let length = 0;
    if (typeof value === "number" || typeof value === "bigint") length = this.#number(value, attribute.as ?? "u32");
    else if (typeof value === "string") length = this.#text(value);
    else if (value instanceof Uint8Array) length = value.length;
    if (value instanceof Uint8Array) this.bytes(value);
    else if (typeof value === "object") {
      if (isList(value)) type |= NLA_F_NESTED;
      this.#structure(value);
      length = this.#at - start - 4;
    }
    this.#bytes.writeUInt16LE(4 + length, start);
    this.#bytes.writeUInt16LE(type, start + 2);
  }

  #structure(value: readonly Attribute[] | Framed | Hole): void {
    if (value instanceof Hole) {
      this.holes.set(value, this.#at);
      this.#number(0, "u32");
    } else if (isList(value)) {
      this.attributes(value);
    } else {
      this.bytes(value.body);
      this.attributes(value.attributes);
    }
  }

  #number(value: number | bigint, format: NumberFormat): number {
    const at = this.#at;
    const bytes = this.#bytes;
    bytes.writeUInt32LE(0, at);
    if (format === "u32") bytes.writeUInt32LE(Number(value) >>> 0, at);
    else if (format === "be32") bytes.writeUInt32BE(Number(value) >>> 0, at);
    else if (format === "u16") bytes.writeUInt16LE(Number(value), at);
    else if (format === "be16") bytes.writeUInt16BE(Number(value), at);
    else if (format === "u8") bytes.writeUInt8(Number(value), at);
    else if (format === "u64") bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at);
    else bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(value)), at);
    this.#at = at + (sizes[format] > 4 ? 8 : 4);
    return sizes[format];
  }

  #text(value: string): number {
    this.#room(value.length * 3 + 8);
    const length = this.#bytes.write(value, this.#at);
    this.#bytes[this.#at + length] = 0;
    this.#advance(length + 1);
    return length + 1;
  }

  /** Moves on to the next multiple of 4 with zeros between. */
  #advance(length: number): void {
    let at = this.#at + length;
    while ((at & 3) !== 0) this.#bytes[at++] = 0;
    this.#at = at;
  }

  #room(length: number): void {
    const needed = this.#at + length + 16;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

function isList(value: readonly Attribute[] | Framed | Hole): value is readonly Attribute[] {
  return Array.isArray(value);
}
