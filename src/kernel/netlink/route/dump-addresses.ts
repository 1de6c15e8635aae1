import { readU32 } from "../fields.ts";
import { AF_INET, AF_INET6, ipText } from "../ip.ts";
import { decodeAttributes, decodeMessages, NLM_F_DUMP, type Request } from "../message.ts";
import * as c from "./constants.ts";

export interface Address {
  /** Index of its link. */
  readonly link: number;
  /** Without the prefix length. */
  readonly address: string;
  readonly prefix: number;
  /** IFA_F_*. */
  readonly flags: number;
}

/** Asks for all addresses of all links. */
export function dumpAddresses(family: 0 | typeof AF_INET | typeof AF_INET6 = 0): Request {
  return { type: c.RTM_GETADDR, flags: NLM_F_DUMP, body: Buffer.from([family, 0, 0, 0, 0, 0, 0, 0]), attributes: [] };
}

/** The IP addresses in what was received. */
export function decodeAddresses(received: Uint8Array): Address[] {
  const found: Address[] = [];
  for (const { type, payload } of decodeMessages(received)) {
    if (type !== c.RTM_NEWADDR || (payload[0] !== AF_INET && payload[0] !== AF_INET6)) continue;
    const attributes = decodeAttributes(payload.subarray(8));
    // Of a point-to-point link IFA_ADDRESS is the other end's; IPv6 has no IFA_LOCAL otherwise.
    const bytes = attributes.get(c.IFA_LOCAL) ?? attributes.get(c.IFA_ADDRESS);
    if (!bytes) continue;
    const link = new DataView(payload.buffer, payload.byteOffset, 8).getUint32(4, true);
    const flags = readU32(attributes, c.IFA_FLAGS) ?? payload[2] ?? 0;
    found.push({ link, address: ipText(bytes), prefix: payload[1] ?? 0, flags });
  }
  return found;
}
