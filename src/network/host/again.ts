import { SampanError } from "../../errors/index.ts";
import {
  addAddress,
  addNeighbour,
  addRoute,
  createVeth,
  deleteLink,
  setLink,
} from "../../kernel/netlink/route/index.ts";
import { againNames, linkAlias, type Suffix } from "../drivers/names.ts";
import type { Policy } from "../firewall/rules.ts";
import { beyond } from "../firewall/table.ts";
import type { Indexes } from "./indexes.ts";
import type { Machine } from "./machine.ts";
import { writeSysctl } from "./sysctl.ts";

const purpose = "make the link by which connections to published ports come in again";

/** The address that no host has (RFC 7600): the kernel checks senders (rp_filter) only on links that have one. */
const own = "192.0.0.8/32";

/**
 * Makes the pair of links that the policy "input" needs, unless it is there. What leaves by the one comes in by the other as
 * if it were new, its sender's address included.
 */
export async function ensureAgainLink(machine: Machine, indexes: Indexes, suffix: Suffix): Promise<Policy> {
  const names = againNames(suffix);
  const there = await machine.link(names.out);
  if (there) return { kind: "input", out: there.index, in: names.in };
  const { index: out, containerIndex: into } = indexes.next();
  const mac = "02:53:61:6d:70:61";
  const pair = createVeth({ host: { name: names.out, index: out }, peer: { name: names.in, index: into, mac } });
  const alias = linkAlias(suffix, "input");
  const ends = [out, into].flatMap((link) => [setLink(link, { alias, linkLocal: false }), setLink(link, { up: true })]);
  await machine.change([...pair, ...ends], purpose);
  // Senders are reached by other links: the laxest of this and of "all" counts
  writeSysctl(`ipv4/conf/${names.in}/rp_filter`, "2", purpose);
  await machine.change(
    [
      addAddress({ link: into, address: own, scope: "link" }),
      // Without a route of its own the next hop would be the copied packet's destination
      addRoute({ to: `${beyond.ip}/32`, link: out }),
      addRoute({ to: `${beyond.ip6}/128`, link: out }),
      ...Object.values(beyond).map((address) => addNeighbour({ link: out, address, mac })),
    ],
    purpose,
  );
  return { kind: "input", out, in: names.in };
}

export async function removeAgainLink(machine: Machine, suffix: Suffix): Promise<void> {
  const link = await machine.link(againNames(suffix).out);
  if (!link) return;
  if (link.alias !== linkAlias(suffix, "input"))
    throw new SampanError("conflict", `Cannot remove the link ${link.name}: it is not Sampan's`);
  await machine.change([deleteLink(link.index)], `remove the link ${link.name}`, ["ENODEV"]);
}
