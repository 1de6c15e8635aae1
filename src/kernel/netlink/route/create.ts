import { SampanError } from "../../../errors/index.ts";
import { type Attribute, type Hole, nested, text, u8, u16, u32 } from "../attribute.ts";
import { macBytes } from "../ip.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from "../message.ts";
import * as c from "./constants.ts";
import { linkBody } from "./link-message.ts";
import { type PortFlags, setBridgePort } from "./set.ts";

/** What any new link may have; what is left out is the kernel's choice. */
export interface NewLink {
  /** At most 15 bytes. EEXIST when taken. */
  readonly name: string;
  /** A fixed index, so that messages about the link can be encoded ahead. EBUSY when taken. */
  readonly index?: number | undefined;
  /** "02:42:ac:11:00:02". */
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly up?: boolean | undefined;
  /** Index of the bridge that it becomes a port of. */
  readonly master?: number | Hole | undefined;
  /** Descriptor of the network namespace where it appears. */
  readonly namespace?: number | Hole | undefined;
  /** Transmit and receive queues; a veth has one for each processor by default. */
  readonly queues?: number | undefined;
}

export interface Veth {
  /** The end in the namespace of the socket that asks. */
  readonly host: Omit<NewLink, "namespace"> & PortFlags;
  /**
   * The other end. Its index is obeyed only where the host's end has one too. It cannot be up from the start, the
   * kernel refuses (ENOTCONN): use `setLink` there.
   */
  readonly peer: Omit<NewLink, "up" | "master">;
}

/**
 * A pair of ends, `ip link add … type veth peer …`. One message, and a second where the host's end is a bridge port
 * with flags. The peer's namespace is the last attribute of the first.
 */
export function createVeth({ host, peer }: Veth): Request[] {
  if (peer.index !== undefined && host.index === undefined)
    throw new SampanError("internal", `Cannot give ${peer.name} an index: the other end, ${host.name}, has none`);
  const peerLink = { body: linkBody(peer.index ?? 0), attributes: attributesOf(peer) };
  const create = newLink("veth", host, [{ type: c.VETH_INFO_PEER, value: peerLink }]);
  return [create, ...setBridgePort(host.name, host)];
}

export interface Bridge extends Omit<NewLink, "master" | "namespace"> {
  /** Spanning tree; off by default, and no forwarding delay then. */
  readonly stp?: boolean | undefined;
  readonly multicastSnooping?: boolean | undefined;
}

/** `ip link add … type bridge`. Without a MAC of its own it takes the lowest of its ports', and changes with them. */
export function createBridge(bridge: Bridge): Request {
  const data: Attribute[] = [u32(c.IFLA_BR_STP_STATE, bridge.stp ? 1 : 0)];
  // A port of a bridge without spanning tree forwards at once, whatever the delay.
  if (bridge.multicastSnooping !== undefined) data.push(u8(c.IFLA_BR_MCAST_SNOOPING, bridge.multicastSnooping ? 1 : 0));
  return newLink("bridge", bridge, data);
}

/** include/uapi/linux/if_link.h, enum macvlan_mode. */
const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
export type MacvlanMode = keyof typeof macvlanModes;

export interface Macvlan extends Omit<NewLink, "master"> {
  /** Index of the link it sits on, in the namespace of the socket that asks. */
  readonly parent: number;
  readonly mode: MacvlanMode;
}

export function createMacvlan(macvlan: Macvlan): Request {
  return newLink("macvlan", macvlan, [u32(c.IFLA_MACVLAN_MODE, macvlanModes[macvlan.mode])], macvlan.parent);
}

const ipvlanModes = { l2: 0, l3: 1, l3s: 2 } as const;
const ipvlanFlags = { bridge: 0, private: 1, vepa: 2 } as const;
export type IpvlanMode = keyof typeof ipvlanModes;
export type IpvlanFlag = keyof typeof ipvlanFlags;

export interface Ipvlan extends Omit<NewLink, "master" | "mac"> {
  readonly parent: number;
  readonly mode: IpvlanMode;
  readonly flag?: IpvlanFlag | undefined;
}

export function createIpvlan(ipvlan: Ipvlan): Request {
  const data = [u16(c.IFLA_IPVLAN_MODE, ipvlanModes[ipvlan.mode])];
  if (ipvlan.flag !== undefined) data.push(u16(c.IFLA_IPVLAN_FLAGS, ipvlanFlags[ipvlan.flag]));
  return newLink("ipvlan", ipvlan, data, ipvlan.parent);
}

/** A link that ends nowhere: the parent of a macvlan or ipvlan network that has no real one. */
export function createDummy(link: NewLink): Request {
  return newLink("dummy", link, []);
}

/** An 802.1Q sub-interface: "eth0.10". */
export function createVlan(link: NewLink & { readonly parent: number; readonly id: number }): Request {
  return newLink("vlan", link, [u16(c.IFLA_VLAN_ID, link.id)], link.parent);
}

function newLink(kind: string, link: NewLink, data: readonly Attribute[], parent?: number): Request {
  const info: Attribute[] = [text(c.IFLA_INFO_KIND, kind)];
  if (data.length > 0) info.push(nested(c.IFLA_INFO_DATA, data));
  const attributes = attributesOf(link);
  if (parent !== undefined) attributes.push(u32(c.IFLA_LINK, parent));
  attributes.push(nested(c.IFLA_LINKINFO, info));
  return {
    type: c.RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkBody(link.index ?? 0, link.up),
    attributes,
  };
}

function attributesOf(link: NewLink): Attribute[] {
  const attributes: Attribute[] = [text(c.IFLA_IFNAME, link.name)];
  if (link.mac !== undefined) attributes.push({ type: c.IFLA_ADDRESS, value: macBytes(link.mac) });
  if (link.mtu !== undefined) attributes.push(u32(c.IFLA_MTU, link.mtu));
  if (link.queues !== undefined)
    attributes.push(u32(c.IFLA_NUM_TX_QUEUES, link.queues), u32(c.IFLA_NUM_RX_QUEUES, link.queues));
  if (link.master !== undefined) attributes.push({ type: c.IFLA_MASTER, value: link.master });
  if (link.namespace !== undefined) attributes.push({ type: c.IFLA_NET_NS_FD, value: link.namespace });
  return attributes;
}
