import { type Attribute, be32, bytes, nested, text } from "../attribute.ts";
import { NLM_F_CREATE, type Request } from "../message.ts";
import * as c from "./constants.ts";
import { nftRequest, type Table, udata } from "./request.ts";
import { type DataType, totalSize, typeId } from "./types.ts";

/** A set, or with `value` a map, of a table. Plain data: requests, elements and rules refer to it. */
export interface NftSet {
  readonly name: string;
  /** Several are concatenated. */
  readonly key: readonly DataType[];
  /** What a map leads to: values, concatenated if several, or verdicts. */
  readonly value?: readonly DataType[] | "verdict";
  /** Elements may be prefixes and ranges. */
  readonly interval?: boolean;
  /** Elements may expire. */
  readonly timeout?: boolean;
  /** Rules may add elements. */
  readonly dynamic?: boolean;
  /** How many elements there may be. */
  readonly size?: number;
  readonly comment?: string;
}

/** Makes a set; one of the same kind that is there stays, with its elements. */
export function addSet(table: Table, set: NftSet): Request {
  const attributes: Attribute[] = [
    text(c.NFTA_SET_TABLE, table.name),
    text(c.NFTA_SET_NAME, set.name),
    be32(c.NFTA_SET_FLAGS, flagsOf(set)),
    be32(c.NFTA_SET_KEY_TYPE, typeId(set.key)),
    be32(c.NFTA_SET_KEY_LEN, totalSize(set.key)),
    // Only requests of the same transaction could refer to it by this number; the kernel wants one.
    be32(c.NFTA_SET_ID, 1),
    ...mapAttributes(set),
    ...description(set),
    bytes(c.NFTA_SET_USERDATA, userData(set)),
  ];
  return nftRequest(c.NFT_MSG_NEWSET, table.family, NLM_F_CREATE, attributes);
}

/** Deletes a set with its elements; EBUSY while a rule uses it. */
export function deleteSet(table: Table, name: string): Request {
  const attributes = [text(c.NFTA_SET_TABLE, table.name), text(c.NFTA_SET_NAME, name)];
  return nftRequest(c.NFT_MSG_DELSET, table.family, 0, attributes);
}

/** Whether elements carry their end beside their start (NFTA_SET_ELEM_KEY_END) instead of a second element. */
export function hasConcatenatedRanges(set: NftSet): boolean {
  return set.interval === true && set.key.length > 1;
}

function flagsOf(set: NftSet): number {
  return (
    (set.interval ? c.NFT_SET_INTERVAL : 0) |
    (hasConcatenatedRanges(set) ? c.NFT_SET_CONCAT : 0) |
    (set.value ? c.NFT_SET_MAP : 0) |
    (set.timeout ? c.NFT_SET_TIMEOUT : 0) |
    (set.dynamic ? c.NFT_SET_EVAL : 0)
  );
}

function mapAttributes({ value }: NftSet): Attribute[] {
  if (value === undefined) return [];
  if (value === "verdict") return [be32(c.NFTA_SET_DATA_TYPE, c.NFT_DATA_VERDICT), be32(c.NFTA_SET_DATA_LEN, 0)];
  return [be32(c.NFTA_SET_DATA_TYPE, typeId(value)), be32(c.NFTA_SET_DATA_LEN, totalSize(value))];
}

/** What nft(8) needs in order to list the elements as texts; the kernel does not look at it. */
function userData(set: NftSet): Uint8Array {
  const orders = [udata(c.UDATA_SET_KEY_ORDER, orderOf(set.key))];
  if (Array.isArray(set.value)) orders.push(udata(c.UDATA_SET_DATA_ORDER, orderOf(set.value)));
  if (set.comment !== undefined) orders.push(udata(c.UDATA_SET_COMMENT, Buffer.from(`${set.comment}\0`)));
  return Buffer.concat(orders);
}

function orderOf(parts: readonly DataType[]): Uint8Array {
  const [only] = parts;
  return Uint8Array.of(parts.length !== 1 ? 0 : only?.order === "host" ? 1 : 2, 0, 0, 0);
}

function description(set: NftSet): Attribute[] {
  const parts: Attribute[] = [];
  if (set.size !== undefined) parts.push(be32(c.NFTA_SET_DESC_SIZE, set.size));
  if (hasConcatenatedRanges(set)) {
    const fields = set.key.map(({ size }) => nested(c.NFTA_LIST_ELEM, [be32(c.NFTA_SET_FIELD_LEN, size)]));
    parts.push(nested(c.NFTA_SET_DESC_CONCAT, fields));
  }
  return parts.length > 0 ? [nested(c.NFTA_SET_DESC, parts)] : [];
}
