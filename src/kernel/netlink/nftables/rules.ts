import { type Attribute, be64, nested, text } from "../attribute.ts";
import { NLM_F_APPEND, NLM_F_CREATE, type Request } from "../message.ts";
import * as c from "./constants.ts";
import type { Expression } from "./expression.ts";
import { type Guard, meta } from "./packet.ts";
import { comment, nftRequest, type Table } from "./request.ts";
import { equals, type Statement } from "./statements.ts";

export interface RuleOptions {
  /** A text for people, and by which the rule is found again. */
  readonly comment?: string | undefined;
  /** Before all others of the chain, instead of behind them. */
  readonly first?: boolean | undefined;
  /** Behind the rule with this handle, or with `first` before it. */
  readonly at?: bigint | undefined;
}

/**
 * Adds a rule: its statements in order, as long as each condition holds. That a packet is of the protocol which a
 * statement reads is checked before by itself, once.
 */
export function addRule(
  table: Table,
  chain: string,
  statements: readonly Statement[],
  options: RuleOptions = {},
): Request {
  const attributes: Attribute[] = [
    ...whose(table, chain),
    nested(c.NFTA_RULE_EXPRESSIONS, expressionsOf(table, statements)),
    ...comment(c.NFTA_RULE_USERDATA, c.UDATA_COMMENT, options.comment),
  ];
  if (options.at !== undefined) attributes.push(be64(c.NFTA_RULE_POSITION, options.at));
  const flags = NLM_F_CREATE | (options.first ? 0 : NLM_F_APPEND);
  return nftRequest(c.NFT_MSG_NEWRULE, table.family, flags, attributes);
}

/** Deletes the rule with this handle. */
export function deleteRule(table: Table, chain: string, handle: bigint): Request {
  return nftRequest(c.NFT_MSG_DELRULE, table.family, 0, [...whose(table, chain), be64(c.NFTA_RULE_HANDLE, handle)]);
}

/** Deletes all rules of a chain. */
export function flushChain(table: Table, chain: string): Request {
  return nftRequest(c.NFT_MSG_DELRULE, table.family, 0, whose(table, chain));
}

function whose(table: Table, chain: string): Attribute[] {
  return [text(c.NFTA_RULE_TABLE, table.name), text(c.NFTA_RULE_CHAIN, chain)];
}

function expressionsOf(table: Table, statements: readonly Statement[]): Expression[] {
  const known = new Set<Guard>();
  if (table.family === "ip") known.add("ipv4");
  if (table.family === "ip6") known.add("ipv6");
  const expressions: Expression[] = [];
  for (const { guards, expressions: own } of statements) {
    for (const guard of guards) {
      if (known.has(guard)) continue;
      known.add(guard);
      expressions.push(...checkOf(table, guard).expressions);
    }
    expressions.push(...own);
  }
  return expressions;
}

function checkOf(table: Table, guard: Guard): Statement {
  if (guard !== "ipv4" && guard !== "ipv6") return equals(meta("l4proto"), guard);
  if (table.family === "inet") return equals(meta("nfproto"), guard);
  return equals(meta("protocol"), guard === "ipv4" ? "ip" : "ip6");
}
