import { text } from "../attribute.ts";
import { present, readBe32, readBe64, readNested, readText } from "../fields.ts";
import { decodeAttributes, decodeMessages, NLM_F_DUMP, type Request } from "../message.ts";
import { type Family, familyName, NFNL_SUBSYS_NFTABLES } from "../nfnetlink.ts";
import { type Hook, hooks, type Policy } from "./chains.ts";
import * as c from "./constants.ts";
import { nftRequest, readComment, type Table } from "./request.ts";

/** Questions about what there is, for `query`, and the answers. */

export interface TableState extends Table {
  readonly handle: bigint;
  readonly comment?: string;
}

export interface ChainState {
  readonly table: Table;
  readonly name: string;
  readonly handle: bigint;
  /** Of a base chain. */
  readonly type?: string;
  readonly hook?: Hook;
  readonly priority?: number;
  readonly policy?: Policy;
}

export interface RuleState {
  readonly table: Table;
  readonly chain: string;
  readonly handle: bigint;
  readonly comment?: string;
}

/** A set or map by name; what is in it is asked for by `dumpElements`. */
export interface SetState {
  readonly table: Table;
  readonly name: string;
  /** NFT_SET_*. */
  readonly flags: number;
  readonly handle: bigint;
}

/** All tables, or those of a family. */
export function dumpTables(family?: Family): Request {
  return nftRequest(c.NFT_MSG_GETTABLE, family, NLM_F_DUMP, []);
}

export function decodeTables(received: Uint8Array): TableState[] {
  return answers(received, c.NFT_MSG_NEWTABLE, (family, attributes) => ({
    ...tableAt(family, attributes, c.NFTA_TABLE_NAME),
    handle: readBe64(attributes, c.NFTA_TABLE_HANDLE) ?? 0n,
    ...present({ comment: readComment(attributes.get(c.NFTA_TABLE_USERDATA), c.UDATA_COMMENT) }),
  }));
}

/** The chains of all tables, or of those of a family. */
export function dumpChains(family?: Family): Request {
  return nftRequest(c.NFT_MSG_GETCHAIN, family, NLM_F_DUMP, []);
}

export function decodeChains(received: Uint8Array): ChainState[] {
  return answers(received, c.NFT_MSG_NEWCHAIN, (family, attributes) => {
    const hook = readNested(attributes, c.NFTA_CHAIN_HOOK);
    const number = readBe32(hook, c.NFTA_HOOK_HOOKNUM);
    const priority = readBe32(hook, c.NFTA_HOOK_PRIORITY);
    const policy = readBe32(attributes, c.NFTA_CHAIN_POLICY);
    const base = {
      type: readText(attributes, c.NFTA_CHAIN_TYPE),
      hook: (Object.keys(hooks) as Hook[]).find((name) => hooks[name] === number),
      priority: priority === undefined ? undefined : priority | 0,
      policy: policy === undefined ? undefined : ((policy === 0 ? "drop" : "accept") as Policy),
    };
    return {
      table: tableAt(family, attributes, c.NFTA_CHAIN_TABLE),
      name: readText(attributes, c.NFTA_CHAIN_NAME) ?? "",
      handle: readBe64(attributes, c.NFTA_CHAIN_HANDLE) ?? 0n,
      ...present(base),
    };
  });
}

/** The rules of a table, or of one of its chains; of all tables without one. */
export function dumpRules(table?: Table, chain?: string): Request {
  const attributes = table ? [text(c.NFTA_RULE_TABLE, table.name)] : [];
  if (chain !== undefined) attributes.push(text(c.NFTA_RULE_CHAIN, chain));
  return nftRequest(c.NFT_MSG_GETRULE, table?.family, NLM_F_DUMP, attributes);
}

export function decodeRules(received: Uint8Array): RuleState[] {
  return answers(received, c.NFT_MSG_NEWRULE, (family, attributes) => ({
    table: tableAt(family, attributes, c.NFTA_RULE_TABLE),
    chain: readText(attributes, c.NFTA_RULE_CHAIN) ?? "",
    handle: readBe64(attributes, c.NFTA_RULE_HANDLE) ?? 0n,
    ...present({ comment: readComment(attributes.get(c.NFTA_RULE_USERDATA), c.UDATA_COMMENT) }),
  }));
}

/** The sets and maps of a table. */
export function dumpSets(table: Table): Request {
  return nftRequest(c.NFT_MSG_GETSET, table.family, NLM_F_DUMP, [text(c.NFTA_SET_TABLE, table.name)]);
}

export function decodeSets(received: Uint8Array): SetState[] {
  return answers(received, c.NFT_MSG_NEWSET, (family, attributes) => ({
    table: tableAt(family, attributes, c.NFTA_SET_TABLE),
    name: readText(attributes, c.NFTA_SET_NAME) ?? "",
    flags: readBe32(attributes, c.NFTA_SET_FLAGS) ?? 0,
    handle: readBe64(attributes, c.NFTA_SET_HANDLE) ?? 0n,
  }));
}

function tableAt(family: Family, attributes: ReadonlyMap<number, Uint8Array>, at: number): Table {
  return { family, name: readText(attributes, at) ?? "" };
}

/** The answers of one kind; of families that we know. */
function answers<T>(
  received: Uint8Array,
  message: number,
  decode: (family: Family, attributes: ReadonlyMap<number, Uint8Array>) => T,
): T[] {
  const found: T[] = [];
  for (const { type, payload } of decodeMessages(received)) {
    const family = familyName(payload[0] ?? 0);
    if (type !== ((NFNL_SUBSYS_NFTABLES << 8) | message) || !family) continue;
    found.push(decode(family, decodeAttributes(payload.subarray(4))));
  }
  return found;
}
