import { batch } from "../../kernel/netlink/batch.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import {
  addChain,
  addRule,
  addSet,
  addTable,
  type BaseChain,
  deleteTable,
  drop,
  inSet,
  meta,
  type NftSet,
  payload,
  type Statement,
  type Table,
  types,
  verdictOf,
} from "../../kernel/netlink/nftables/index.ts";
import type { Suffix } from "../drivers/names.ts";
import { tableName } from "../drivers/names.ts";

const { ifname, ipv4_addr, ipv6_addr } = types;

/**
 * The tables of egress policies. They are there only while a container has a policy: every packet of the machine meets them.
 * "frames" sees what comes from a container's port of a bridge, and lets only its own addresses through; so "packets", which
 * sees what leaves the bridge, can tell containers by their addresses.
 */
export interface EgressTables {
  readonly packets: Table;
  readonly frames: Table;
}

export function egressTables(suffix: Suffix): EgressTables {
  const name = `${tableName(suffix)}-egress`;
  return { packets: { family: "inet", name }, frames: { family: "bridge", name } };
}

/** Who a packet or frame is of: leads to the chains of his endpoint. */
export const maps = {
  /** Bridge and the container's address. */
  sender4: { name: "sender4", key: [ifname, ipv4_addr], value: "verdict" },
  sender6: { name: "sender6", key: [ifname, ipv6_addr], value: "verdict" },
  /** Ports of bridges; what is known by their names in "packets" has come past the bridge. */
  stray: { name: "stray", key: [ifname] },
  /** Port of a bridge: for all its frames, and for those that leave by another port. */
  port: { name: "port", key: [ifname], value: "verdict" },
  across: { name: "across", key: [ifname], value: "verdict" },
} as const satisfies Record<string, NftSet>;

const iif = meta("iifname");

/** Before destinations are translated: a policy is about what the container asks for. After connections are known. */
const packets: BaseChain = { type: "filter", hook: "prerouting", priority: -150 };
/** Before br_netfilter shows frames to the rules of IP. */
const frames: BaseChain = { type: "filter", hook: "prerouting", priority: -250 };
const across: BaseChain = { type: "filter", hook: "forward", priority: -250 };

/** To be raised when the chains of endpoints (endpoint-rules.ts) change: tables of another version are made anew. */
const format = 1;

function content(suffix: Suffix): Request[] {
  const { packets: inet, frames: bridge } = egressTables(suffix);
  const chain = (table: Table, name: string, base: BaseChain, rules: readonly (readonly Statement[])[]) => [
    addChain(table, name, base),
    ...rules.map((rule) => addRule(table, name, rule)),
  ];
  return [
    ...[maps.stray, maps.sender4, maps.sender6].map((map) => addSet(inet, map)),
    ...chain(inet, "packets", packets, [
      // A bridge hands frames to its protocols' own addresses (01:80:c2:00:00:0X) to the machine as the port's
      [inSet(iif, maps.stray), drop],
      [verdictOf([iif, payload.ipv4.saddr], maps.sender4)],
      [verdictOf([iif, payload.ipv6.saddr], maps.sender6)],
    ]),
    addTable(bridge),
    ...[maps.port, maps.across].map((map) => addSet(bridge, map)),
    ...chain(bridge, "frames", frames, [[verdictOf(iif, maps.port)]]),
    ...chain(bridge, "between", across, [[verdictOf(iif, maps.across)]]),
  ];
}

/** What the comment of "packets" says. */
export function versionOf(suffix: Suffix): string {
  let hash = format;
  for (const byte of batch(content(suffix))) hash = Math.imul(hash ^ byte, 0x01000193);
  return `egress ${(hash >>> 0).toString(16).padStart(8, "0")}`;
}

export function makeTables(suffix: Suffix): Request[] {
  return [addTable(egressTables(suffix).packets, { comment: versionOf(suffix) }), ...content(suffix)];
}

/** Whether they are there or not. */
export function removeTables(suffix: Suffix): Request[] {
  return Object.values(egressTables(suffix)).flatMap((table: Table) => [addTable(table), deleteTable(table)]);
}
