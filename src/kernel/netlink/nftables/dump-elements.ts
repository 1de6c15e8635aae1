import { text } from "../attribute.ts";
import { present, readBe32, readBe64, readNested } from "../fields.ts";
import { decodeAttributeList, decodeAttributes, decodeMessages, NLM_F_DUMP, type Request } from "../message.ts";
import { NFNL_SUBSYS_NFTABLES } from "../nfnetlink.ts";
import * as c from "./constants.ts";
import { nftRequest, readComment, type Table } from "./request.ts";
import type { NftSet } from "./sets.ts";
import { decodeValues } from "./types.ts";
import { decodeVerdict, type Verdict } from "./verdicts.ts";

/** An element as the kernel has it. */
export interface ElementState {
  readonly key: readonly (string | number)[];
  /** Where a concatenated range ends. */
  readonly keyEnd?: readonly (string | number)[];
  /** It marks what follows an interval of a single key, and has no value. */
  readonly intervalEnd: boolean;
  readonly value?: readonly (string | number)[] | Verdict;
  /** Milliseconds: as it was given, and what is left of it. */
  readonly timeout?: number;
  readonly expires?: number;
  readonly comment?: string;
}

/** Asks for the elements of a set. ENOENT when there is no such set. */
export function dumpElements(table: Table, name: string): Request {
  return nftRequest(c.NFT_MSG_GETSETELEM, table.family, NLM_F_DUMP, [
    text(c.NFTA_SET_ELEM_LIST_TABLE, table.name),
    text(c.NFTA_SET_ELEM_LIST_SET, name),
  ]);
}

export function decodeElements(set: NftSet, received: Uint8Array): ElementState[] {
  const wanted = (NFNL_SUBSYS_NFTABLES << 8) | c.NFT_MSG_NEWSETELEM;
  return decodeMessages(received)
    .filter(({ type }) => type === wanted)
    .flatMap(({ payload }) => {
      const list = decodeAttributes(payload.subarray(4)).get(c.NFTA_SET_ELEM_LIST_ELEMENTS);
      return list ? decodeAttributeList(list).map(({ value }) => elementOf(set, decodeAttributes(value))) : [];
    });
}

function elementOf(set: NftSet, attributes: ReadonlyMap<number, Uint8Array>): ElementState {
  const keyAt = (type: number) => {
    const bytes = readNested(attributes, type).get(c.NFTA_DATA_VALUE);
    return bytes && decodeValues(set.key, bytes);
  };
  const optional = {
    keyEnd: keyAt(c.NFTA_SET_ELEM_KEY_END),
    value: dataOf(set, readNested(attributes, c.NFTA_SET_ELEM_DATA)),
    timeout: milliseconds(readBe64(attributes, c.NFTA_SET_ELEM_TIMEOUT)),
    expires: milliseconds(readBe64(attributes, c.NFTA_SET_ELEM_EXPIRATION)),
    comment: readComment(attributes.get(c.NFTA_SET_ELEM_USERDATA), c.UDATA_COMMENT),
  };
  const flags = readBe32(attributes, c.NFTA_SET_ELEM_FLAGS) ?? 0;
  return {
    key: keyAt(c.NFTA_SET_ELEM_KEY) ?? [],
    intervalEnd: (flags & c.NFT_SET_ELEM_INTERVAL_END) !== 0,
    ...present(optional),
  };
}

function dataOf(set: NftSet, data: ReadonlyMap<number, Uint8Array>): ElementState["value"] | undefined {
  const verdict = data.get(c.NFTA_DATA_VERDICT);
  if (verdict) return decodeVerdict(verdict);
  const bytes = data.get(c.NFTA_DATA_VALUE);
  return bytes && Array.isArray(set.value) ? decodeValues(set.value, bytes) : undefined;
}

function milliseconds(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
