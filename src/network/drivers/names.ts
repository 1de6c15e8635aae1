import type { Endpoint, NetworkRecord } from "../types.ts";

/** What tells daemons of different roots apart: `layout.suffix`, "" or "-" and six hex digits. */
export type Suffix = string;

const hash = (suffix: Suffix) => suffix.replace(/^-/, "");

/** The nf_tables table of all of a daemon's networks. */
export function tableName(suffix: Suffix): string {
  return `sampan${suffix}`;
}

/** Where the default network is, unless an option names another bridge. */
export function defaultBridgeName(suffix: Suffix): string {
  return suffix === "" ? "sampan0" : `sm${hash(suffix)}`;
}

/** A user-defined network's bridge, as dockerd calls it. */
export function bridgeNameOfId(networkId: string): string {
  return `br-${networkId.slice(0, 12)}`;
}

/** The machine's end of an endpoint's pair of links. */
export function hostLinkName(endpoint: Pick<Endpoint, "id" | "hostInterface">): string {
  return endpoint.hostInterface ?? `ve${endpoint.id.slice(0, 13)}`;
}

/** The parent that a macvlan or ipvlan network without one gets: a link that ends nowhere. */
export function dummyName({ driver, id }: Pick<NetworkRecord, "driver" | "id">): string {
  return `${driver === "ipvlan" ? "di" : "dm"}-${id.slice(0, 12)}`;
}

/** The two ends of the link by which a connection that the input chains have let pass comes in again. */
export function againNames(suffix: Suffix): { readonly out: string; readonly in: string } {
  return { out: `smpo${hash(suffix)}`, in: `smpi${hash(suffix)}` };
}

/** Says whose a link is, and which network's: what carries this is ours to remove. */
export function linkAlias(suffix: Suffix, subject: string): string {
  return `${tableName(suffix)} ${subject}`;
}
