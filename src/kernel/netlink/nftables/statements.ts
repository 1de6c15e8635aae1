import { SampanError } from "../../../errors/index.ts";
import { type Attribute, be32, be64, text } from "../attribute.ts";
import { cidrBytes } from "../ip.ts";
import * as e from "./expression.ts";
import { type Field, type Guard, storeConnectionMark, storeMeta } from "./packet.ts";
import type { NftSet } from "./sets.ts";
import { type DataType, paddedSize, types, type Value } from "./types.ts";
import type { Verdict } from "./verdicts.ts";

/** A part of a rule: a condition, after which the rule goes on or not, or something done. */
export interface Statement {
  /** What must hold of the packet before. */
  readonly guards: readonly Guard[];
  readonly expressions: readonly e.Expression[];
}

/** One field, or several concatenated. */
export type Key = Field | readonly Field[];

function fieldsOf(key: Key): readonly Field[] {
  return Array.isArray(key) ? (key as readonly Field[]) : [key as Field];
}

/** Loads a key from the first register on. */
function load(key: Key): { guards: Guard[]; expressions: e.Expression[] } {
  const guards: Guard[] = [];
  const expressions: e.Expression[] = [];
  let word = 0;
  for (const field of fieldsOf(key)) {
    if (field.guard) guards.push(field.guard);
    expressions.push(field.load(word));
    word += paddedSize(field.type) / 4;
  }
  return { guards, expressions };
}

export function statement(expressions: readonly e.Expression[], guards: readonly Guard[] = []): Statement {
  return { guards, expressions };
}

function after(key: Key, ...more: e.Expression[]): Statement {
  const { guards, expressions } = load(key);
  return statement([...expressions, ...more], guards);
}

/** The field has this value. A link's name may end in "*": those that begin so. */
export function equals(field: Field, value: Value): Statement {
  return after(field, e.compare(0, "==", constant(field.type, value)));
}

export function differs(field: Field, value: Value): Statement {
  return after(field, e.compare(0, "!=", constant(field.type, value)));
}

/** An order; of numbers that packets carry (ports, hop limits), not of the host's (marks). */
export function compares(field: Field, operator: e.Operator, value: Value): Statement {
  return after(field, e.compare(0, operator, constant(field.type, value)));
}

/** Both ends belong to it. */
export function inRange(field: Field, from: Value, to: Value): Statement {
  return after(field, e.range(0, true, field.type.encode(from), field.type.encode(to)));
}

export function outOfRange(field: Field, from: Value, to: Value): Statement {
  return after(field, e.range(0, false, field.type.encode(from), field.type.encode(to)));
}

/** The address is in a prefix: "10.0.0.0/8". */
export function inPrefix(field: Field, cidr: string): Statement {
  return prefixed(field, cidr, "==");
}

export function notInPrefix(field: Field, cidr: string): Statement {
  return prefixed(field, cidr, "!=");
}

/** One of these bits is set: of connection states, marks. */
export function anyOf(field: Field, bits: readonly Value[]): Statement {
  const { type } = field;
  return after(field, e.bitwise(0, mask(type, bits)), e.compare(0, "!=", new Uint8Array(type.size)));
}

export function noneOf(field: Field, bits: readonly Value[]): Statement {
  const { type } = field;
  return after(field, e.bitwise(0, mask(type, bits)), e.compare(0, "==", new Uint8Array(type.size)));
}

/** Of the bits in `within` exactly `bits` are set: TCP's SYN without ACK, some bits of a mark. */
export function bitsAre(field: Field, within: readonly Value[], bits: readonly Value[]): Statement {
  const { type } = field;
  return after(field, e.bitwise(0, mask(type, within)), e.compare(0, "==", mask(type, bits)));
}

/** The fields together are an element of the set. */
export function inSet(key: Key, set: NftSet): Statement {
  check(key, set);
  return after(key, e.lookup(set.name, 0));
}

export function notInSet(key: Key, set: NftSet): Statement {
  check(key, set);
  return after(key, e.lookup(set.name, 0, { inverted: true }));
}

/** The verdict that a map has for the key; the rule's end is reached when it has none. */
export function verdictOf(key: Key, map: NftSet): Statement {
  check(key, map);
  return after(key, e.lookup(map.name, 0, { result: "verdict" }));
}

/** Loads the value that a map has for the key into the first register; the rule goes no further when it has none. */
export function mapped(key: Key, map: NftSet): Statement {
  check(key, map);
  return after(key, e.lookup(map.name, 0, { result: 0 }));
}

/** Adds the key to a dynamic set, or begins its time-out (milliseconds) anew. */
export function remember(key: Key, set: NftSet, timeout?: number): Statement {
  check(key, set);
  const NFT_DYNSET_OP_UPDATE = 1;
  const attributes: Attribute[] = [text(1, set.name), be32(3, NFT_DYNSET_OP_UPDATE), be32(4, e.register(0))];
  if (timeout !== undefined) attributes.push(be64(6, timeout));
  return after(key, e.expression("dynset", attributes));
}

export function verdict(value: Verdict): Statement {
  return statement([e.verdictExpression(value)]);
}

export const accept: Statement = verdict("accept");
export const drop: Statement = verdict("drop");
/** Back to where the chain was jumped from; in a base chain its policy. */
export const leave: Statement = verdict("return");

export function jump(chain: string): Statement {
  return verdict({ jump: chain });
}

export function goto(chain: string): Statement {
  return verdict({ goto: chain });
}

/** Marks the packet. */
export function setMark(value: number): Statement {
  return statement([e.immediate(0, types.mark.encode(value)), storeMeta("mark", 0)]);
}

/** Says which of a link's queues the packet is for; of one that comes in, a mark that nobody else uses. */
export function setPriority(value: number): Statement {
  return statement([e.immediate(0, types.hostInteger.encode(value)), storeMeta("priority", 0)]);
}

/** Marks the connection. */
export function setConnectionMark(value: number): Statement {
  return statement([e.immediate(0, types.mark.encode(value)), storeConnectionMark(0)]);
}

function constant(type: DataType, value: Value): Uint8Array {
  if (type.name === "ifname" && typeof value === "string" && value.endsWith("*"))
    return Buffer.from(value.slice(0, -1));
  return type.encode(value);
}

function mask(type: DataType, bits: readonly Value[]): Uint8Array {
  const all = new Uint8Array(type.size);
  for (const bit of bits) for (const [index, byte] of type.encode(bit).entries()) all[index] = (all[index] ?? 0) | byte;
  return all;
}

function prefixed(field: Field, cidr: string, operator: "==" | "!="): Statement {
  const { address, prefix } = cidrBytes(cidr);
  const bits = address.map((_, index) => 0xff & ~(0xff >> Math.min(8, Math.max(0, prefix - index * 8))));
  const network = field.type.encode(address).map((byte, index) => byte & (bits[index] ?? 0));
  return after(field, e.bitwise(0, bits), e.compare(0, operator, network));
}

function check(key: Key, set: NftSet): void {
  const own = fieldsOf(key).map(({ type }) => type.name);
  const wanted = set.key.map(({ name }) => name);
  if (own.join(" . ") !== wanted.join(" . "))
    throw new SampanError(
      "internal",
      `Cannot look up ${own.join(" . ")} in ${set.name}, a set of ${wanted.join(" . ")}`,
    );
}
