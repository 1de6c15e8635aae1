import { batch } from "../../kernel/netlink/batch.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import {
  addChain,
  addElements,
  addRule,
  addSet,
  addTable,
  deleteElements,
  deleteTable,
  type Element,
  type NftSet,
  type Table,
} from "../../kernel/netlink/nftables/index.ts";
import type { RuleElement } from "./elements.ts";
import { admission, type Chain, chains, type Policy } from "./rules.ts";
import { type SetName, sets } from "./sets.ts";

/** The tables of a daemon, by name. The last two are there with the policy "input" only. */
export function tablesOf(name: string): { readonly main: Table; readonly admission: readonly Table[] } {
  return {
    main: { family: "inet", name },
    admission: [
      { family: "ip", name },
      { family: "ip6", name },
    ],
  };
}

/** Addresses beyond our own link, where copies are sent to: nobody else has them. */
export const beyond = { ip: "192.0.0.9", ip6: "fe80::1" } as const;

/** Sets, chains and rules, all that does not change. */
function content(name: string, policy: Policy): Request[] {
  const { main, admission: tables } = tablesOf(name);
  const requests: Request[] = Object.values(sets).map((set: NftSet) => addSet(main, set));
  requests.push(...chainRequests(main, chains(policy)));
  if (policy.kind === "input") {
    for (const table of tables) {
      requests.push(
        addTable(table),
        ...chainRequests(table, [admission(policy, beyond[table.family as "ip" | "ip6"])]),
      );
    }
  }
  return requests;
}

/** The tables as they should be. */
export interface Plan {
  /** What the table's comment says: tables of another version of Sampan, or with another policy, are made anew. */
  readonly version: string;
  /** Makes them; EEXIST when somebody has done so meanwhile, for rules are added, and would be there twice. */
  readonly requests: readonly Request[];
}

/** The same for the same, milliseconds of work. */
export function planTables(name: string, policy: Policy): Plan {
  const requests = content(name, policy);
  let hash = 0x811c9dc5;
  for (const byte of batch(requests)) hash = Math.imul(hash ^ byte, 0x01000193);
  const version = `rules ${(hash >>> 0).toString(16).padStart(8, "0")}`;
  return { version, requests: [addTable(tablesOf(name).main, { comment: version, exclusive: true }), ...requests] };
}

/** Removes the tables, whether they are there or not. */
export function removeTables(name: string): Request[] {
  const { main, admission: others } = tablesOf(name);
  return [main, ...others].flatMap((table) => [addTable(table), deleteTable(table)]);
}

/** Adds elements: few requests, whatever there is already. One that is there with another value is EEXIST. */
export function add(name: string, elements: readonly RuleElement[]): Request[] {
  return bySet(elements).flatMap(([set, some]) => addElements(tablesOf(name).main, set, some));
}

/** Removes elements; ENOENT when one is not there. */
export function remove(name: string, elements: readonly Pick<RuleElement, "set" | "key">[]): Request[] {
  return bySet(elements).flatMap(([set, some]) => deleteElements(tablesOf(name).main, set, some));
}

function bySet(elements: readonly RuleElement[]): [NftSet, Element[]][] {
  const found = new Map<SetName, Element[]>();
  for (const { set, key, value } of elements) {
    const element = value === undefined ? { key } : { key, value };
    const known = found.get(set);
    if (known) known.push(element);
    else found.set(set, [element]);
  }
  return [...found].map(([set, some]) => [sets[set], some]);
}

function chainRequests(table: Table, all: readonly Chain[]): Request[] {
  return [
    ...all.map(({ name, base }) => addChain(table, name, base)),
    ...all.flatMap(({ name, rules }) => rules.map((rule) => addRule(table, name, rule))),
  ];
}
