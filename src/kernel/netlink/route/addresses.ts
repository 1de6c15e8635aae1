import { type Attribute, text, u32 } from "../attribute.ts";
import { cidrBytes, familyOf } from "../ip.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type Request } from "../message.ts";
import * as c from "./constants.ts";

export interface NewAddress {
  /** Index of its link. */
  readonly link: number;
  /** With the network's prefix length: "172.18.0.2/16". */
  readonly address: string;
  /** The network's last address, as dockerd has it for IPv4; none by default. */
  readonly broadcast?: string | undefined;
  /** No duplicate address detection (IPv6), so that it can be used at once. */
  readonly noDad?: boolean | undefined;
  /** No route to the network by this link. */
  readonly noPrefixRoute?: boolean | undefined;
  readonly scope?: "global" | "link" | "host" | undefined;
  readonly label?: string | undefined;
  /** No EEXIST where the link has it already. */
  readonly replace?: boolean | undefined;
}

const scopes = { global: c.RT_SCOPE_UNIVERSE, link: c.RT_SCOPE_LINK, host: c.RT_SCOPE_HOST };

/** `ip address add`. */
export function addAddress(address: NewAddress): Request {
  const attributes: Attribute[] = [];
  if (address.broadcast !== undefined)
    attributes.push({ type: c.IFA_BROADCAST, value: cidrBytes(address.broadcast).address });
  if (address.label !== undefined) attributes.push(text(c.IFA_LABEL, address.label));
  const flags = (address.noDad ? c.IFA_F_NODAD : 0) | (address.noPrefixRoute ? c.IFA_F_NOPREFIXROUTE : 0);
  if (flags !== 0) attributes.push(u32(c.IFA_FLAGS, flags));
  const change = NLM_F_CREATE | (address.replace ? NLM_F_REPLACE : NLM_F_EXCL);
  return message(c.RTM_NEWADDR, change, address, attributes);
}

/** `ip address del`. EADDRNOTAVAIL when it is not there. */
export function deleteAddress(address: Pick<NewAddress, "link" | "address">): Request {
  return message(c.RTM_DELADDR, 0, address, []);
}

function message(
  type: number,
  flags: number,
  { link, address, scope }: Pick<NewAddress, "link" | "address" | "scope">,
  more: readonly Attribute[],
): Request {
  const { address: bytes, prefix } = cidrBytes(address);
  // struct ifaddrmsg
  const body = Buffer.from([familyOf(bytes), prefix, 0, scopes[scope ?? "global"], 0, 0, 0, 0]);
  body.writeInt32LE(link, 4);
  const own = [
    { type: c.IFA_LOCAL, value: bytes },
    { type: c.IFA_ADDRESS, value: bytes },
  ];
  return { type, flags, body, attributes: [...own, ...more] };
}
