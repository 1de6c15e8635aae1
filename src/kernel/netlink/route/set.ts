import { type Attribute, type Hole, nested, text, u8, u32 } from "../attribute.ts";
import { AF_INET6, macBytes } from "../ip.ts";
import type { Request } from "../message.ts";
import * as c from "./constants.ts";
import { aboutLink, type LinkRef } from "./link-message.ts";

export interface LinkChanges {
  readonly up?: boolean | undefined;
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** Index of the bridge; 0 leaves the one it is a port of. */
  readonly master?: number | Hole | undefined;
  /** A text for people; not in the kernel's way of anything. */
  readonly alias?: string | undefined;
  /** Whether the kernel makes an IPv6 link-local address when the link comes up; it does so before it looks at this. */
  readonly linkLocal?: boolean | undefined;
}

/** `ip link set`. Renaming needs the link by its index. */
export function setLink(link: LinkRef, changes: LinkChanges): Request {
  const attributes: Attribute[] = [];
  if (changes.name !== undefined) attributes.push(text(c.IFLA_IFNAME, changes.name));
  if (changes.mac !== undefined) attributes.push({ type: c.IFLA_ADDRESS, value: macBytes(changes.mac) });
  if (changes.mtu !== undefined) attributes.push(u32(c.IFLA_MTU, changes.mtu));
  if (changes.master !== undefined) attributes.push({ type: c.IFLA_MASTER, value: changes.master });
  if (changes.alias !== undefined) attributes.push(text(c.IFLA_IFALIAS, changes.alias));
  if (changes.linkLocal !== undefined) attributes.push(addressGeneration(changes.linkLocal));
  return aboutLink(c.RTM_NEWLINK, link, attributes, { up: changes.up });
}

/**
 * Moves a link to another network namespace, where it gets `name` (then `link` must be an index) and `index` if given;
 * it is down afterwards.
 */
export function moveLink(
  link: LinkRef,
  namespace: number | Hole,
  there: { readonly name?: string | undefined; readonly index?: number | undefined } = {},
): Request {
  const attributes: Attribute[] = [];
  if (there.name !== undefined) attributes.push(text(c.IFLA_IFNAME, there.name));
  if (there.index !== undefined) attributes.push(u32(IFLA_NEW_IFINDEX, there.index));
  attributes.push({ type: c.IFLA_NET_NS_FD, value: namespace });
  return aboutLink(c.RTM_NEWLINK, link, attributes);
}

/** Deletes a link; of a veth both ends. ENODEV when it is not there. */
export function deleteLink(link: LinkRef): Request {
  return aboutLink(c.RTM_DELLINK, link, []);
}

/** How a bridge treats one of its ports; bridge(8). */
export interface PortFlags {
  /** Isolated ports do not talk to each other, only to the others and to the bridge itself. */
  readonly isolated?: boolean | undefined;
  /** Frames may leave by the port they came from: a container that reaches itself by a published port. */
  readonly hairpin?: boolean | undefined;
  readonly learning?: boolean | undefined;
  readonly flooding?: boolean | undefined;
}

/** Sets flags of a port that its bridge has already; nothing where no flag is given. */
export function setBridgePort(link: LinkRef, flags: PortFlags): Request[] {
  const data: Attribute[] = [];
  const add = (type: number, value: boolean | undefined) => {
    if (value !== undefined) data.push(u8(type, value ? 1 : 0));
  };
  add(c.IFLA_BRPORT_ISOLATED, flags.isolated);
  add(c.IFLA_BRPORT_MODE, flags.hairpin);
  add(c.IFLA_BRPORT_LEARNING, flags.learning);
  add(c.IFLA_BRPORT_UNICAST_FLOOD, flags.flooding);
  if (data.length === 0) return [];
  const info = [text(c.IFLA_INFO_SLAVE_KIND, "bridge"), nested(c.IFLA_INFO_SLAVE_DATA, data)];
  return [aboutLink(c.RTM_NEWLINK, link, [nested(c.IFLA_LINKINFO, info)])];
}

const IFLA_NEW_IFINDEX = 49;
const IN6_ADDR_GEN_MODE_EUI64 = 0;
const IN6_ADDR_GEN_MODE_NONE = 1;

function addressGeneration(linkLocal: boolean): Attribute {
  const mode = linkLocal ? IN6_ADDR_GEN_MODE_EUI64 : IN6_ADDR_GEN_MODE_NONE;
  return nested(c.IFLA_AF_SPEC, [nested(AF_INET6, [u8(c.IFLA_INET6_ADDR_GEN_MODE, mode)])]);
}
