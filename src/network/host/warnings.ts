import { type ChainState, decodeChains, dumpChains } from "../../kernel/netlink/nftables/index.ts";
import type { Machine } from "./machine.ts";

const families: ReadonlySet<string> = new Set(["ip", "ip6", "inet"]);

/**
 * The kernel forwards a packet only if every table lets it: an accepting rule of ours does not help where another table's
 * policy drops. We change no other table, and say what there is.
 */
export async function forwardWarnings(machine: Machine, ownTable: string): Promise<string[]> {
  const received = await machine.netfilter(dumpChains(), "list the machine's firewall chains");
  return decodeChains(received)
    .filter(({ table, hook, policy }) => table.name !== ownTable && hook === "forward" && policy === "drop")
    .filter(({ table }) => families.has(table.family))
    .map(warning);
}

function warning({ table, name }: ChainState): string {
  const remedy =
    table.family === "inet"
      ? `nft insert rule inet ${table.name} ${name} accept`
      : `${table.family === "ip" ? "iptables" : "ip6tables"} -P FORWARD ACCEPT, or rules there that accept containers' packets (ufw: ufw route allow)`;
  return `The policy of the firewall chain "${table.family} ${table.name} ${name}" drops forwarded packets: containers may not reach other machines, nor published ports be reached from there. Remedy: ${remedy}`;
}
