import { SampanError } from "../../../errors/index.ts";
import { type Attribute, be32, be64, bytes, nested, text } from "../attribute.ts";
import { rangeOf } from "../ip.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from "../message.ts";
import * as c from "./constants.ts";
import { comment, nftRequest, type Table } from "./request.ts";
import { hasConcatenatedRanges, type NftSet } from "./sets.ts";
import { type DataType, encodeValues, paddedSize, type Value } from "./types.ts";
import { type Verdict, verdictData } from "./verdicts.ts";

/** Of a set with intervals: both ends belong to it. */
export interface Range {
  readonly from: Value;
  readonly to: Value;
}

/** A value, a range, or where the type is an address a prefix: "10.0.0.0/8". */
export type KeyPart = Value | Range;

export interface Element {
  /** One part for each type of the set's key. */
  readonly key: readonly KeyPart[];
  /** Of a map. */
  readonly value?: readonly Value[] | Verdict | undefined;
  /** Milliseconds after which it is gone; of a set with timeouts. */
  readonly timeout?: number | undefined;
  readonly comment?: string | undefined;
}

/** An attribute, as the list of elements is, has less than 64 KiB. */
const mostBytes = 48_000;

/**
 * Adds elements. One that is there already stays as it is, or is EEXIST: always where a map's value differs, and with
 * `exclusive`. One request, or several for very many elements.
 */
export function addElements(
  table: Table,
  set: NftSet,
  elements: readonly Element[],
  options: { readonly exclusive?: boolean } = {},
): Request[] {
  const flags = NLM_F_CREATE | (options.exclusive ? NLM_F_EXCL : 0);
  return requests(c.NFT_MSG_NEWSETELEM, flags, table, set, elements, true);
}

/** Deletes elements, by their keys. ENOENT when one is not there. */
export function deleteElements(table: Table, set: NftSet, elements: readonly Pick<Element, "key">[]): Request[] {
  return requests(c.NFT_MSG_DELSETELEM, 0, table, set, elements, false);
}

/** Deletes all elements. */
export function flushSet(table: Table, name: string): Request {
  return nftRequest(c.NFT_MSG_DELSETELEM, table.family, 0, whose(table, name));
}

function whose(table: Table, name: string): Attribute[] {
  return [text(c.NFTA_SET_ELEM_LIST_TABLE, table.name), text(c.NFTA_SET_ELEM_LIST_SET, name)];
}

function requests(
  message: number,
  flags: number,
  table: Table,
  set: NftSet,
  elements: readonly Element[],
  withValue: boolean,
): Request[] {
  const found: Request[] = [];
  let list: Attribute[] = [];
  let size = 0;
  const finish = () => {
    const attributes = [...whose(table, set.name), nested(c.NFTA_SET_ELEM_LIST_ELEMENTS, list)];
    found.push(nftRequest(message, table.family, flags, attributes));
    list = [];
    size = 0;
  };
  for (const element of elements) {
    for (const encoded of encodeElement(set, element, withValue)) list.push(nested(c.NFTA_LIST_ELEM, encoded));
    size += mostOf(set, element);
    if (size > mostBytes) finish();
  }
  if (list.length > 0) finish();
  return found;
}

/** No fewer bytes than an element becomes. */
function mostOf(set: NftSet, element: Element): number {
  const parts = Array.isArray(set.value) ? [...set.key, ...set.key, ...set.value] : [...set.key, ...set.key];
  const chain = typeof element.value === "object" && !Array.isArray(element.value) ? 64 : 0;
  return 128 + chain + parts.reduce((sum, type) => sum + paddedSize(type), 0) + 3 * (element.comment?.length ?? 0);
}

/** The kernel's elements for one of ours: an interval of a single key is two, its start and what follows its end. */
function encodeElement(set: NftSet, element: Element, withValue: boolean): Attribute[][] {
  const { first, last } = bounds(set, element.key);
  const attributes = [keyAttribute(c.NFTA_SET_ELEM_KEY, first)];
  if (hasConcatenatedRanges(set)) attributes.push(keyAttribute(c.NFTA_SET_ELEM_KEY_END, last));
  if (withValue) attributes.push(...details(set, element));
  if (!set.interval || hasConcatenatedRanges(set)) return [attributes];
  const end = successor(last);
  if (!end) return [attributes];
  const flags = be32(c.NFTA_SET_ELEM_FLAGS, c.NFT_SET_ELEM_INTERVAL_END);
  return [attributes, [flags, keyAttribute(c.NFTA_SET_ELEM_KEY, end)]];
}

function details(set: NftSet, element: Element): Attribute[] {
  const attributes: Attribute[] = [];
  if (set.value !== undefined) attributes.push(nested(c.NFTA_SET_ELEM_DATA, [valueAttribute(set, element)]));
  if (element.timeout !== undefined) attributes.push(be64(c.NFTA_SET_ELEM_TIMEOUT, element.timeout));
  attributes.push(...comment(c.NFTA_SET_ELEM_USERDATA, c.UDATA_COMMENT, element.comment));
  return attributes;
}

function valueAttribute(set: NftSet, { value }: Element): Attribute {
  if (Array.isArray(value) && set.value !== "verdict")
    return bytes(c.NFTA_DATA_VALUE, encodeValues(set.value ?? [], value as readonly Value[]));
  if (value !== undefined && !Array.isArray(value) && set.value === "verdict") return verdictData(value as Verdict);
  throw new SampanError("internal", `Cannot add an element to the map ${set.name}: its value is not of the map's type`);
}

function keyAttribute(type: number, key: Uint8Array): Attribute {
  return nested(type, [bytes(c.NFTA_DATA_VALUE, key)]);
}

function bounds(set: NftSet, key: readonly KeyPart[]): { first: Uint8Array; last: Uint8Array } {
  const ends = key.map((part, index) => endsOf(part, set.key[index], set));
  return {
    first: encodeValues(
      set.key,
      ends.map(([from]) => from),
    ),
    last: encodeValues(
      set.key,
      ends.map(([, to]) => to),
    ),
  };
}

function endsOf(part: KeyPart, type: DataType | undefined, set: NftSet): [Value, Value] {
  if (typeof part === "object" && !(part instanceof Uint8Array)) {
    requireIntervals(set);
    return [part.from, part.to];
  }
  if (typeof part !== "string" || !type?.name.endsWith("_addr") || !part.includes("/")) return [part, part];
  requireIntervals(set);
  const { first, last } = rangeOf(part);
  return [first, last];
}

function requireIntervals(set: NftSet): void {
  if (!set.interval)
    throw new SampanError("internal", `Cannot use an interval in the set ${set.name}, which is not made for them`);
}

/** The next number of as many bytes; undefined after the last. */
function successor(value: Uint8Array): Uint8Array | undefined {
  const next = Uint8Array.from(value);
  for (let index = next.length - 1; index >= 0; index--) {
    next[index] = ((next[index] ?? 0) + 1) & 0xff;
    if (next[index] !== 0) return next;
  }
  return undefined;
}
