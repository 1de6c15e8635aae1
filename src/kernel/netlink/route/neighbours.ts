import type { Attribute } from "../attribute.ts";
import { familyOf, ipBytes, macBytes } from "../ip.ts";
import { NLM_F_CREATE, NLM_F_REPLACE, type Request } from "../message.ts";
import * as c from "./constants.ts";

export interface Neighbour {
  /** Index of the link. */
  readonly link: number;
  readonly address: string;
  /** Who has the address; without it the machine itself answers for it on `link` (proxy ARP, proxy NDP). */
  readonly mac?: string | undefined;
}

/** `ip neighbour replace … nud permanent`, or `ip neighbour replace proxy`. */
export function addNeighbour(neighbour: Neighbour): Request {
  return message(c.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, neighbour);
}

/** ENOENT when it is not there. */
export function deleteNeighbour(neighbour: Neighbour): Request {
  return message(c.RTM_DELNEIGH, 0, neighbour);
}

function message(type: number, flags: number, { link, address, mac }: Neighbour): Request {
  const bytes = ipBytes(address);
  // struct ndmsg: family, padding, ifindex, state, flags, type
  const body = Buffer.alloc(12);
  body[0] = familyOf(bytes);
  body.writeInt32LE(link, 4);
  const attributes: Attribute[] = [{ type: c.NDA_DST, value: bytes }];
  if (mac === undefined) {
    body[10] = c.NTF_PROXY;
  } else {
    body.writeUInt16LE(c.NUD_PERMANENT, 8);
    attributes.push({ type: c.NDA_LLADDR, value: macBytes(mac) });
  }
  return { type, flags, body, attributes };
}
