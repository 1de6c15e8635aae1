/**
 * nf_tables: tables, chains, sets, elements and rules as messages, and rules as TypeScript:
 *
 *     const ports: NftSet = { name: "ports", key: [types.inet_proto, types.inet_service], value: [types.ipv4_addr, types.inet_service] };
 *     transaction([
 *       addTable(table),
 *       addSet(table, ports),
 *       addChain(table, "in", { type: "nat", hook: "prerouting", priority: priorities.dstnat }),
 *       addRule(table, "in", [equals(fib.daddr.type, "local"), dnatTo([meta("l4proto"), payload.th.dport], ports)]),
 *       ...addElements(table, ports, [{ key: ["tcp", 80], value: ["10.0.0.2", 8080] }]),
 *     ]);
 *
 * Each function makes plain data; `transaction` makes the bytes, to be sent on a NETLINK_NETFILTER socket by `ask` of
 * ../request.ts. What exists is asked for by `query` of ../query.ts with the dump… requests. Needs CAP_NET_ADMIN.
 */
export * from "./actions.ts";
export * from "./chains.ts";
export * from "./dump.ts";
export { decodeElements, dumpElements, type ElementState } from "./dump-elements.ts";
export * from "./elements.ts";
export type { Operator } from "./expression.ts";
export { ct, type Field, fib, type Guard, type MetaKey, meta, payload } from "./packet.ts";
export {
  beginBatch,
  endBatch,
  type Table,
  transaction,
  transactionWithHoles,
} from "./request.ts";
export { addRule, deleteRule, flushChain, type RuleOptions } from "./rules.ts";
export { addSet, deleteSet, type NftSet } from "./sets.ts";
export * from "./statements.ts";
export { addTable, deleteTable } from "./tables.ts";
export { type DataType, types, type Value } from "./types.ts";
export type { Verdict } from "./verdicts.ts";
