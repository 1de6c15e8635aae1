import type { Executor } from "../../kernel/executor.ts";
import { type ChainState, decodeChains, dumpChains } from "../../kernel/netlink/nftables/index.ts";
import { legacyForwardDrops } from "./legacy-tables.ts";
import type { Machine } from "./machine.ts";

const families: ReadonlySet<string> = new Set(["ip", "ip6", "inet"]);

/**
 * The kernel forwards a packet only if every table lets it: an accepting rule of ours does not help where another table's
 * policy drops. We change no other table, and say what there is.
 */
export async function forwardWarnings(machine: Machine, executor: Executor, ownTable: string): Promise<string[]> {
  const received = await machine.netfilter(dumpChains(), "list the machine's firewall chains");
  const chains = decodeChains(received)
    .filter(({ table, hook, policy }) => table.name !== ownTable && hook === "forward" && policy === "drop")
    .filter(({ table }) => families.has(table.family));
  const legacy = await legacyForwardDrops(executor);
  return [...chains.map(warning), ...legacy.map(legacyWarning)];
}

const consequence =
  "drops forwarded packets: containers may not reach other machines, nor published ports be reached from there";

function legacyWarning(command: string): string {
  const remedy = `${command}-legacy -P FORWARD ACCEPT, or rules there that accept containers' packets (ufw: ufw route allow)`;
  return `The policy of the chain FORWARD of ${command}-legacy ${consequence}. Remedy: ${remedy}`;
}

function warning({ table, name }: ChainState): string {
  const remedy =
    table.family === "inet"
      ? `nft insert rule inet ${table.name} ${name} accept`
      : `${table.family === "ip" ? "iptables" : "ip6tables"} -P FORWARD ACCEPT, or rules there that accept containers' packets (ufw: ufw route allow)`;
  return `The policy of the firewall chain "${table.family} ${table.name} ${name}" ${consequence}. Remedy: ${remedy}`;
}
