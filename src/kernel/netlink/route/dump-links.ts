import { nested, text, u32 } from "../attribute.ts";
import { present, readNested, readText, readU8, readU32 } from "../fields.ts";
import { macText } from "../ip.ts";
import { decodeAttributes, decodeMessages, NLM_F_DUMP, type Request } from "../message.ts";
import * as c from "./constants.ts";
import { aboutLink, type LinkRef, linkBody } from "./link-message.ts";

export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly mtu: number;
  /** Of an Ethernet-like link. */
  readonly mac?: string;
  /** "bridge", "veth", "macvlan" …; a real device has none. */
  readonly kind?: string;
  /** Index of the bridge it is a port of. */
  readonly master?: number;
  /** Index of the link below or at the other end, maybe of another namespace. */
  readonly link?: number;
  /** The other end is in another namespace: its number here. */
  readonly linkNamespace?: number;
  readonly alias?: string;
  /** As a port of a bridge. */
  readonly isolated?: boolean;
  readonly hairpin?: boolean;
}

const withoutStatistics = u32(c.IFLA_EXT_MASK, c.RTEXT_FILTER_SKIP_STATS);

/** Asks for all links, or for those of a kind or with a master only. */
export function dumpLinks(filter: { kind?: string; master?: number } = {}): Request {
  const attributes = [withoutStatistics];
  if (filter.master !== undefined) attributes.push(u32(c.IFLA_MASTER, filter.master));
  if (filter.kind !== undefined) attributes.push(nested(c.IFLA_LINKINFO, [text(c.IFLA_INFO_KIND, filter.kind)]));
  return { type: c.RTM_GETLINK, flags: NLM_F_DUMP, body: linkBody(0), attributes };
}

/** Asks for one link. ENODEV when it is not there. */
export function getLink(link: LinkRef): Request {
  return aboutLink(c.RTM_GETLINK, link, [withoutStatistics]);
}

/** The links in what was received. */
export function decodeLinks(received: Uint8Array): Link[] {
  return decodeMessages(received)
    .filter(({ type }) => type === c.RTM_NEWLINK)
    .map(({ payload }) => linkOf(payload));
}

function linkOf(payload: Uint8Array): Link {
  const header = new DataView(payload.buffer, payload.byteOffset, 16);
  const attributes = decodeAttributes(payload.subarray(16));
  const info = readNested(attributes, c.IFLA_LINKINFO);
  const mac = attributes.get(c.IFLA_ADDRESS);
  const optional = {
    mac: mac?.length === 6 ? macText(mac) : undefined,
    kind: readText(info, c.IFLA_INFO_KIND),
    master: readU32(attributes, c.IFLA_MASTER),
    link: readU32(attributes, c.IFLA_LINK),
    linkNamespace: readU32(attributes, c.IFLA_LINK_NETNSID),
    alias: readText(attributes, c.IFLA_IFALIAS),
    ...portOf(info),
  };
  return {
    index: header.getInt32(4, true),
    name: readText(attributes, c.IFLA_IFNAME) ?? "",
    up: (header.getUint32(8, true) & c.IFF_UP) !== 0,
    mtu: readU32(attributes, c.IFLA_MTU) ?? 0,
    ...present(optional),
  };
}

function portOf(info: ReadonlyMap<number, Uint8Array>): { isolated?: boolean; hairpin?: boolean } {
  if (readText(info, c.IFLA_INFO_SLAVE_KIND) !== "bridge") return {};
  const data = readNested(info, c.IFLA_INFO_SLAVE_DATA);
  return { isolated: readU8(data, c.IFLA_BRPORT_ISOLATED) === 1, hairpin: readU8(data, c.IFLA_BRPORT_MODE) === 1 };
}
