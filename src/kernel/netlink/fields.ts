import { decodeAttributes } from "./message.ts";

/** Reading what attributes of an answer hold; undefined where one is missing. */

type Attributes = ReadonlyMap<number, Uint8Array>;

export function readU8(attributes: Attributes, type: number): number | undefined {
  return attributes.get(type)?.[0];
}

export function readU32(attributes: Attributes, type: number): number | undefined {
  const view = viewAt(attributes, type, 4);
  return view?.getUint32(0, true);
}

export function readBe16(attributes: Attributes, type: number): number | undefined {
  const view = viewAt(attributes, type, 2);
  return view?.getUint16(0);
}

export function readBe32(attributes: Attributes, type: number): number | undefined {
  const view = viewAt(attributes, type, 4);
  return view?.getUint32(0);
}

export function readBe64(attributes: Attributes, type: number): bigint | undefined {
  const view = viewAt(attributes, type, 8);
  return view?.getBigUint64(0);
}

export function readText(attributes: Attributes, type: number): string | undefined {
  const bytes = attributes.get(type);
  if (!bytes) return undefined;
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString();
}

/** The attributes inside one; none where it is missing. */
export function readNested(attributes: Attributes, type: number): Attributes {
  const bytes = attributes.get(type);
  return bytes ? decodeAttributes(bytes) : new Map();
}

function viewAt(attributes: Attributes, type: number, size: number): DataView | undefined {
  const bytes = attributes.get(type);
  return bytes && bytes.length >= size ? new DataView(bytes.buffer, bytes.byteOffset, bytes.length) : undefined;
}

/** The fields that are not undefined. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
