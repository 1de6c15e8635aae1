import type { Request } from "../../kernel/netlink/message.ts";
import {
  decodeChains,
  decodeElements,
  decodeSets,
  deleteChain,
  deleteElements,
  deleteSet,
  dumpChains,
  dumpElements,
  dumpSets,
  flushChain,
  type NftSet,
  type Table,
} from "../../kernel/netlink/nftables/index.ts";
import type { Suffix } from "../drivers/names.ts";
import type { Machine } from "../host/machine.ts";
import { egressTables, maps } from "./base.ts";

const purpose = "look for the rules of egress policies";

/** The endpoints that have rules, by `prefixOf`, with the requests that remove these; what they were may be unknown. */
export async function presentEndpoints(machine: Machine, suffix: Suffix): Promise<Map<string, Request[]>> {
  const { packets, frames } = egressTables(suffix);
  const found = new Map<string, Request[]>();
  const note = (name: string, ...removal: Request[]) => {
    const prefix = /^e[0-9a-f]{12}/.exec(name)?.[0];
    if (prefix === undefined) return;
    found.set(prefix, [...(found.get(prefix) ?? []), ...removal]);
  };
  // Elements lead to chains, chains look at sets: they go in this order
  for (const map of [maps.sender4, maps.sender6]) {
    for (const { chain, key } of await led(machine, packets, map))
      note(chain, ...deleteElements(packets, map, [{ key }]));
  }
  for (const { chain, key } of await led(machine, frames, maps.across))
    note(chain, ...deleteElements(frames, maps.across, [{ key }]));
  for (const { chain, key } of await led(machine, frames, maps.port))
    note(chain, ...deleteElements(frames, maps.port, [{ key }]), ...deleteElements(packets, maps.stray, [{ key }]));
  for (const table of [packets, frames]) {
    const received = await machine.netfilter(dumpChains(table.family), purpose);
    const names = decodeChains(received).flatMap((chain) => (chain.table.name === table.name ? [chain.name] : []));
    for (const name of names) note(name, flushChain(table, name));
    for (const name of names) note(name, deleteChain(table, name));
  }
  for (const { name } of decodeSets(await machine.netfilter(dumpSets(packets), purpose)))
    note(name, deleteSet(packets, name));
  return found;
}

interface Led {
  readonly chain: string;
  readonly key: readonly (string | number)[];
}

/** The elements of a map of verdicts. */
async function led(machine: Machine, table: Table, map: NftSet): Promise<Led[]> {
  const states = decodeElements(map, await machine.netfilter(dumpElements(table, map.name), purpose));
  return states.flatMap(({ key, value }) =>
    typeof value === "object" && "goto" in value ? [{ chain: value.goto, key }] : [],
  );
}
