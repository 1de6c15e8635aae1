import { SampanError } from "../../errors/index.ts";
import { createDummy, createVlan, deleteLink, setLink } from "../../kernel/netlink/route/index.ts";
import type { Indexes } from "../host/indexes.ts";
import type { Machine } from "../host/machine.ts";
import type { NetworkRecord } from "../types.ts";
import { mtuOf } from "./bridge-settings.ts";
import { dummyName, linkAlias, type Suffix } from "./names.ts";

/** The link that containers of a macvlan or ipvlan network sit on; one that leads nowhere where none is named. */
export function parentName(network: NetworkRecord): string {
  return network.options.parent || dummyName(network);
}

/** Finds the parent, or makes it: a dummy, or a VLAN's sub-interface "eth0.10". Returns its index. */
export async function ensureParent(
  machine: Machine,
  indexes: Indexes,
  suffix: Suffix,
  network: NetworkRecord,
): Promise<number> {
  const name = parentName(network);
  const link = await machine.link(name);
  if (link) return link.index;
  const { index } = indexes.next();
  const purpose = `make the link ${name} of network ${network.name}`;
  const request = network.options.parent
    ? createVlan({ name, index, ...(await vlanOf(machine, name)) })
    : createDummy({ name, index, mtu: mtuOf(network) });
  await machine.change([request, setLink(index, { alias: linkAlias(suffix, network.id), up: true })], purpose);
  return index;
}

/** Removes a parent that we have made. */
export async function removeParent(machine: Machine, suffix: Suffix, network: NetworkRecord): Promise<void> {
  const link = await machine.link(parentName(network));
  if (link?.alias !== linkAlias(suffix, network.id)) return;
  await machine.change([deleteLink(link.index)], `remove the link ${link.name}`, ["ENODEV"]);
}

/** dockerd's texts. */
async function vlanOf(machine: Machine, name: string): Promise<{ parent: number; id: number }> {
  const dot = name.lastIndexOf(".");
  if (dot < 0)
    throw new SampanError("invalid", `invalid subinterface vlan name ${name}, example formatting is eth0.10`);
  const [parent, digits] = [name.slice(0, dot), name.slice(dot + 1)];
  if (!/^\d+$/.test(digits) || parent === "") {
    const text = `required format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received ${name}`;
    throw new SampanError("invalid", text);
  }
  const id = Number(digits);
  if (id < 1 || id > 4094) throw new SampanError("invalid", `vlan id must be between 1-4094, received: ${id}`);
  const below = await machine.link(parent);
  if (!below)
    throw new SampanError("not-found", `failed to find master interface ${parent} on the host: Link not found`);
  return { parent: below.index, id };
}
