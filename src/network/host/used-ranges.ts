import { linkAlias, type Suffix } from "../drivers/names.ts";
import type { Machine } from "./machine.ts";
import type { UsedRange } from "./types.ts";

const RT_TABLE_LOCAL = 255;
const RTN_UNICAST = 1;

/** What the machine's routes and addresses use; its default route is no range. */
export async function usedRanges(machine: Machine, suffix: Suffix): Promise<UsedRange[]> {
  const [links, addresses, routes] = [await machine.links(), await machine.addresses(), await machine.routes()];
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const ours = new Set(links.filter(({ alias }) => alias?.startsWith(linkAlias(suffix, ""))).map(({ index }) => index));
  const used: UsedRange[] = addresses
    .filter(({ link }) => !ours.has(link))
    .map(({ link, address, prefix }) => ({ range: `${address}/${prefix}`, link: names.get(link) ?? "" }));
  for (const { table, type, to, link = 0, gateway } of routes) {
    if (table === RT_TABLE_LOCAL || type !== RTN_UNICAST || to.endsWith("/0") || ours.has(link)) continue;
    used.push({ range: to, link: names.get(link) ?? "", ...(gateway !== undefined && { viaGateway: true }) });
  }
  return used;
}
