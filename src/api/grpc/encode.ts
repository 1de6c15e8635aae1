import { SampanError } from "../../errors/index.ts";
import type { Field, Fields, Message, Sent } from "./schema.ts";

const VARINT = 0;
const LENGTH = 2;

/** A message's bytes. Fields with their default are left out, as proto3 has it. */
export function encode<One extends Message<Fields>>(type: One, value: Sent<One>): Buffer {
  return Buffer.concat(fieldsOf(type, value as Readonly<Record<string, unknown>>));
}

function fieldsOf(type: Message<Fields>, value: Readonly<Record<string, unknown>>): Buffer[] {
  return Object.entries(type.fields).flatMap(([name, field]) => {
    const given = value[name];
    return given === undefined ? [] : fieldOf(field, given);
  });
}

function fieldOf(field: Field, value: unknown): Buffer[] {
  if (field.shape === "repeated") return (value as readonly unknown[]).flatMap((one) => element(field, one));
  if (field.shape !== "map") return isDefault(value) ? [] : element(field, value);
  return [...(value as ReadonlyMap<string, unknown>)].flatMap(([key, one]) => {
    const entry = [...element({ number: 1, type: "string" }, key), ...element({ number: 2, type: field.type }, one)];
    return lengthDelimited(field.number, entry);
  });
}

function isDefault(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === "" || value === false || value === 0 || value === 0n;
}

function element({ number, type }: Pick<Field, "number" | "type">, value: unknown): Buffer[] {
  if (typeof type === "object") return lengthDelimited(number, fieldsOf(type, value as Record<string, unknown>));
  if (type === "string") return lengthDelimited(number, [Buffer.from(value as string)]);
  if (type === "bytes") return lengthDelimited(number, [value as Buffer]);
  return [varint(number * 8 + VARINT), varint(type === "bool" ? Number(value) : (value as number | bigint))];
}

function lengthDelimited(number: number, parts: readonly Buffer[]): Buffer[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [varint(number * 8 + LENGTH), varint(length), ...parts];
}

/** Base 128, the lowest seven bits first; a negative number is the one of 64 bits. */
function varint(value: number | bigint): Buffer {
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw new SampanError("internal", `Cannot send ${value}: it is no integer`);
  const digits: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    digits.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  digits.push(Number(rest));
  return Buffer.from(digits);
}
