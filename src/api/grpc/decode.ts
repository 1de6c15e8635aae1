import { SampanError } from "../../errors/index.ts";
import type { Field, Fields, Message, Received } from "./schema.ts";

/** The longest varint: 64 bits, seven in a byte. */
const longestVarint = 10;

const defaults = { string: "", bytes: Buffer.alloc(0), bool: false, int: 0, bigint: 0n } as const;

/**
 * Reads a message: what it does not say has its default, fields that nobody knows are skipped. Byte fields are views into `from`.
 * "invalid" for what is malformed.
 */
export function decode<One extends Message<Fields>>(type: One, from: Buffer): Received<One> {
  return read(type, from) as Received<One>;
}

/** A field's value as it is on the wire. */
type Raw = bigint | Buffer;

class Reader {
  readonly #bytes: Buffer;
  readonly #name: string;
  #at = 0;

  constructor(bytes: Buffer, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let index = 0; index < longestVarint; index++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.malformed("it ends in a number");
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.malformed("a number is too long");
  }

  /** The value of a field; undefined for one of a fixed size, of which no message here has any. */
  value(wireType: number): Raw | undefined {
    if (wireType === 0) return this.varint();
    if (wireType === 2) return this.#take(Number(this.varint()));
    if (wireType !== 1 && wireType !== 5) throw this.malformed(`a field has the wire type ${wireType}`);
    this.#take(wireType === 1 ? 8 : 4);
    return undefined;
  }

  malformed(what: string): SampanError {
    return new SampanError("invalid", `Cannot read the message ${this.#name}: ${what}`);
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw this.malformed("a field is longer than the message");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function read(type: Message<Fields>, from: Buffer): Readonly<Record<string, unknown>> {
  const all = Object.entries(type.fields);
  const byNumber = new Map(all.map(([name, field]) => [field.number, { name, field }]));
  const found: Record<string, unknown> = Object.fromEntries(all.map(([name, field]) => [name, initial(field)]));
  const reader = new Reader(from, type.name);
  while (!reader.ended) {
    const tag = reader.varint();
    const raw = reader.value(Number(tag & 7n));
    if (tag < 8n) throw reader.malformed("a field has the number 0");
    const known = byNumber.get(Number(tag >> 3n));
    if (known === undefined) continue;
    const { name, field } = known;
    if (raw === undefined || Buffer.isBuffer(raw) !== isDelimited(field)) {
      throw reader.malformed(`${name} has another wire type`);
    }
    put(found, { name, field, raw, reader });
  }
  return found;
}

function initial({ shape, type }: Field): unknown {
  if (shape === "repeated") return [];
  if (shape === "map") return new Map();
  return typeof type === "object" ? undefined : defaults[type];
}

function isDelimited({ shape, type }: Field): boolean {
  return shape === "map" || typeof type === "object" || type === "string" || type === "bytes";
}

interface Put {
  readonly name: string;
  readonly field: Field;
  readonly raw: Raw;
  readonly reader: Reader;
}

function put(found: Record<string, unknown>, { name, field, raw, reader }: Put): void {
  if (field.shape === "map") {
    const value: Field = { number: 2, type: field.type, shape: "one" };
    const entry = read({ name, fields: { key: { number: 1, type: "string", shape: "one" }, value } }, raw as Buffer);
    (found[name] as Map<unknown, unknown>).set(entry.key, entry.value ?? {});
  } else if (field.shape === "repeated") (found[name] as unknown[]).push(readValue(field, raw, reader));
  else found[name] = readValue(field, raw, reader);
}

function readValue({ type }: Field, raw: Raw, reader: Reader): unknown {
  if (typeof type === "object") return read(type, raw as Buffer);
  if (type === "bytes") return raw;
  if (type === "string") return (raw as Buffer).toString();
  if (type === "bool") return raw !== 0n;
  const signed = BigInt.asIntN(64, raw as bigint);
  if (type === "bigint") return signed;
  const number = Number(signed);
  if (!Number.isSafeInteger(number)) throw reader.malformed(`the number ${signed} is too large`);
  return number;
}
