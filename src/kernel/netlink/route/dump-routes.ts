import { present, readU32 } from "../fields.ts";
import { AF_INET, AF_INET6, ipText } from "../ip.ts";
import { decodeAttributes, decodeMessages, NLM_F_DUMP, type Request } from "../message.ts";
import * as c from "./constants.ts";

export interface InstalledRoute {
  readonly family: 4 | 6;
  /** "10.0.0.0/8"; "0.0.0.0/0" and "::/0" are the default. */
  readonly to: string;
  readonly table: number;
  /** RTN_*: 1 is unicast, 2 local. */
  readonly type: number;
  /** RTPROT_*: 2 is the kernel's own, for an address. */
  readonly protocol: number;
  readonly gateway?: string;
  readonly link?: number;
  readonly metric?: number;
  readonly source?: string;
}

/** Asks for the routes of all tables. */
export function dumpRoutes(family: 0 | typeof AF_INET | typeof AF_INET6 = 0): Request {
  const body = new Uint8Array(12);
  body[0] = family;
  return { type: c.RTM_GETROUTE, flags: NLM_F_DUMP, body, attributes: [] };
}

/** The IP routes in what was received. */
export function decodeRoutes(received: Uint8Array): InstalledRoute[] {
  return decodeMessages(received)
    .filter(({ type, payload }) => type === c.RTM_NEWROUTE && (payload[0] === AF_INET || payload[0] === AF_INET6))
    .map(({ payload }) => routeOf(payload));
}

function routeOf(payload: Uint8Array): InstalledRoute {
  const [family, prefix = 0, , , table = 0, protocol = 0, , type = 0] = payload;
  const attributes = decodeAttributes(payload.subarray(12));
  const textAt = (at: number) => {
    const bytes = attributes.get(at);
    return bytes && ipText(bytes);
  };
  const optional = {
    gateway: textAt(c.RTA_GATEWAY),
    link: readU32(attributes, c.RTA_OIF),
    metric: readU32(attributes, c.RTA_PRIORITY),
    source: textAt(c.RTA_PREFSRC),
  };
  const nowhere = family === AF_INET ? "0.0.0.0" : "::";
  return {
    family: family === AF_INET ? 4 : 6,
    to: `${textAt(c.RTA_DST) ?? nowhere}/${prefix}`,
    table: readU32(attributes, c.RTA_TABLE) ?? table,
    type,
    protocol,
    ...present(optional),
  };
}
