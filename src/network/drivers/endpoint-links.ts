import type { Request } from "../../kernel/netlink/message.ts";
import {
  addAddress,
  addRoute,
  createIpvlan,
  createMacvlan,
  createVeth,
  type Hole,
  type IpvlanFlag,
  type IpvlanMode,
  type MacvlanMode,
  type NewLink,
  setLink,
} from "../../kernel/netlink/route/index.ts";
import { lastOf, parsePrefix } from "../addresses/prefix.ts";
import { printIpv4 } from "../addresses/v4.ts";
import type { Connection } from "../host/types.ts";
import type { Address } from "../types.ts";
import { mtuOf } from "./bridge-settings.ts";
import { gatewayAddress, isLayer3 } from "./gateway.ts";
import { hostLinkName } from "./names.ts";

/** What an endpoint's link needs of the machine. */
export interface LinkPlace {
  /** Index of the bridge, or of the parent. */
  readonly parent: number;
  /** Two indexes that no link has: the machine's end and the container's. */
  readonly index: number;
  readonly containerIndex: number;
  /** Where the container's descriptor of its network belongs. */
  readonly namespace: Hole;
  /** Containers of the bridge do not reach each other. */
  readonly isolated: boolean;
  /** The container publishes ports here, and may reach itself by them. */
  readonly hairpin: boolean;
}

/** Makes the link, on the machine's socket; none for drivers without links. */
export function createEndpointLink(connection: Connection, place: LinkPlace): Request[] {
  const { network, endpoint } = connection;
  const { parent, containerIndex, namespace } = place;
  const mtu = mtuOf(network);
  const link = { name: endpoint.interfaceName, index: containerIndex, namespace, mtu };
  const mac = endpoint.macAddress;
  switch (network.driver) {
    case "bridge":
      return createPort(connection, { ...link, mac }, place);
    case "macvlan": {
      const mode = (network.options.macvlan_mode || "bridge") as MacvlanMode;
      return [createMacvlan({ ...link, mac, parent, mode })];
    }
    case "ipvlan": {
      const mode = (network.options.ipvlan_mode || "l2") as IpvlanMode;
      const flag = (network.options.ipvlan_flag || "bridge") as IpvlanFlag;
      return [createIpvlan({ ...link, parent, mode, flag })];
    }
    default:
      return [];
  }
}

/**
 * A pair of ends, ours a port of the bridge. One queue each: those that the kernel makes for every processor cost a fifth of
 * all of this with two processors, and a veth sends without them. Ours needs no IPv6: frames that come in are the bridge's.
 */
function createPort({ endpoint }: Connection, peer: Omit<NewLink, "up" | "master">, place: LinkPlace): Request[] {
  const { parent, index, isolated, hairpin } = place;
  const flags = { ...(isolated && { isolated }), ...(hairpin && { hairpin }) };
  const host = { name: hostLinkName(endpoint), index, master: parent, mtu: peer.mtu, queues: 1, ...flags };
  return [
    ...createVeth({ host, peer: { ...peer, queues: 1 } }),
    setLink(index, { linkLocal: false }),
    setLink(index, { up: true }),
  ];
}

/** Brings the container's end up with its addresses, on a socket that was made in the container. */
export function configureEndpoint({ endpoint }: Connection, link: number): Request[] {
  const { ipv4, ipv6 } = endpoint;
  // Without IPv6 there is no link-local address either: nobody waits for it, and no router is asked for. That has to be
  // known before the link comes up; in one message the kernel does it after.
  const requests = ipv6 === undefined ? [setLink(link, { linkLocal: false })] : [];
  requests.push(setLink(link, { up: true }));
  if (ipv4) requests.push(addAddress({ link, address: cidr(ipv4), broadcast: broadcastOf(ipv4) }));
  if (ipv6) requests.push(addAddress({ link, address: cidr(ipv6), noDad: true }));
  for (const address of endpoint.linkLocal) {
    const six = address.includes(":");
    requests.push(addAddress({ link, address: `${address}/${six ? 64 : 16}`, noDad: six, scope: "link" }));
  }
  return requests;
}

/** Makes the connection the container's way out, in place of another with `replace`. */
export function routeOut(connection: Connection, family: 4 | 6, link: number, replace = false): Request[] {
  const to = family === 4 ? "default4" : "default6";
  if (isLayer3(connection)) return [addRoute({ to, link, replace })];
  const gateway = gatewayAddress(connection, family);
  return gateway === undefined ? [] : [addRoute({ to, gateway, link, replace })];
}

function cidr({ address, prefix }: Address): string {
  return `${address}/${prefix}`;
}

/** The network's last address; a network of one or two has none. */
function broadcastOf(address: Address): string | undefined {
  const prefix = parsePrefix(cidr(address));
  return prefix && prefix.bits < 31 ? printIpv4(Number(lastOf(prefix))) : undefined;
}
