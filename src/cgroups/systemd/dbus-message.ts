/** Builds values in D-Bus's wire format, little-endian (D-Bus specification, "Marshaling"). */
export class Marshal {
  #bytes = Buffer.alloc(0);

  get bytes(): Buffer {
    return this.#bytes;
  }

  align(to: number): this {
    return this.#add(Buffer.alloc((to - (this.#bytes.length % to)) % to));
  }

  byte(value: number): this {
    return this.#add(Buffer.from([value]));
  }

  uint32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.align(4).#add(bytes);
  }

  uint64(value: bigint): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return this.align(8).#add(bytes);
  }

  string(text: string): this {
    return this.uint32(Buffer.byteLength(text)).#add(Buffer.from(`${text}\0`));
  }

  signature(text: string): this {
    return this.byte(text.length).#add(Buffer.from(`${text}\0`));
  }

  /** Its length counts from the first element, which is aligned to `alignment`. */
  array(alignment: number, elements: () => void): this {
    this.uint32(0);
    const length = this.#bytes.length - 4;
    this.align(alignment);
    const start = this.#bytes.length;
    elements();
    this.#bytes.writeUInt32LE(this.#bytes.length - start, length);
    return this;
  }

  #add(bytes: Buffer): this {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return this;
  }
}

export interface MethodCall {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly destination: string;
  /** Of the body. */
  readonly signature: string;
  readonly body: Buffer;
}

/** Types of messages. */
export const messageType = { call: 1, return: 2, error: 3 } as const;
const littleEndian = 0x6c;
const version = 1;

/** A call as it is sent; `serial` is not 0. */
export function encodeCall(call: MethodCall, serial: number): Buffer {
  const header = new Marshal();
  for (const value of [littleEndian, messageType.call, 0, version]) header.byte(value);
  header.uint32(call.body.length).uint32(serial);
  const field = (code: number, type: "o" | "s" | "g", value: string) => {
    header.align(8).byte(code).signature(type);
    if (type === "g") header.signature(value);
    else header.string(value);
  };
  header.array(8, () => {
    field(1, "o", call.path);
    field(2, "s", call.interface);
    field(3, "s", call.member);
    field(6, "s", call.destination);
    field(8, "g", call.signature);
  });
  return Buffer.concat([header.align(8).bytes, call.body]);
}

export interface Message {
  readonly type: number;
  readonly body: Buffer;
  /** Bytes in all. */
  readonly size: number;
}

/** The message at the beginning of `bytes`; undefined while not all of it is there. */
export function decodeMessage(bytes: Buffer): Message | undefined {
  if (bytes.length < 16) return undefined;
  const bodyStart = 16 + Math.ceil(bytes.readUInt32LE(12) / 8) * 8;
  const size = bodyStart + bytes.readUInt32LE(4);
  if (bytes.length < size) return undefined;
  return { type: bytes.readUInt8(1), body: bytes.subarray(bodyStart, size), size };
}

/** The string that the body of an error begins with. */
export function errorText({ body }: Message): string {
  return body.length < 4 ? "no reason given" : body.toString("utf8", 4, 4 + body.readUInt32LE(0));
}
