import { type Attribute, u32 } from "../attribute.ts";
import { AF_INET, AF_INET6, cidrBytes, familyOf, ipBytes } from "../ip.ts";
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type Request } from "../message.ts";
import * as c from "./constants.ts";

const RTN_LOCAL = 2;
const types = { unicast: c.RTN_UNICAST, local: RTN_LOCAL, blackhole: c.RTN_BLACKHOLE, unreachable: c.RTN_UNREACHABLE };

export interface Route {
  /** "10.0.0.0/8"; "default" for the family of `gateway`, "default4" and "default6" where there is none. */
  readonly to: string;
  readonly gateway?: string | undefined;
  /** Index of the link. */
  readonly link?: number | undefined;
  /** The gateway is reached by `link` though no route leads to it. */
  readonly onLink?: boolean | undefined;
  readonly metric?: number | undefined;
  /** The address that connections by this route come from. */
  readonly source?: string | undefined;
  readonly type?: keyof typeof types | undefined;
  /** The main table (254) by default. */
  readonly table?: number | undefined;
}

export interface NewRoute extends Route {
  /** In place of one to the same with the same metric. */
  readonly replace?: boolean | undefined;
  /** Behind others to the same; EEXIST only when there is one by the same link. */
  readonly append?: boolean | undefined;
}

/** `ip route add`, `replace` or `append`. EEXIST when there is one to the same with the same metric. */
export function addRoute(route: NewRoute): Request {
  const how = route.replace ? NLM_F_REPLACE : route.append ? NLM_F_APPEND : NLM_F_EXCL;
  return message(c.RTM_NEWROUTE, NLM_F_CREATE | how, route);
}

/** Deletes the first route that is like this. ESRCH when there is none. */
export function deleteRoute(route: Route): Request {
  return message(c.RTM_DELROUTE, 0, route);
}

function message(type: number, flags: number, route: Route): Request {
  const gateway = route.gateway === undefined ? undefined : ipBytes(route.gateway);
  const { family, to, prefix } = destination(route.to, gateway);
  const table = route.table ?? c.RT_TABLE_MAIN;
  const direct = gateway === undefined && (route.type ?? "unicast") === "unicast" && family === AF_INET;
  const deleting = type === c.RTM_DELROUTE;
  // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags
  const body = Buffer.from([family, prefix, 0, 0, table > 255 ? 0 : table, 0, 0, 0, 0, 0, 0, 0]);
  body[5] = deleting ? 0 : c.RTPROT_BOOT;
  body[6] = deleting ? c.RT_SCOPE_NOWHERE : direct ? c.RT_SCOPE_LINK : c.RT_SCOPE_UNIVERSE;
  body[7] = deleting && route.type === undefined ? 0 : types[route.type ?? "unicast"];
  if (route.onLink) body.writeUInt32LE(c.RTNH_F_ONLINK, 8);
  const attributes: Attribute[] = [];
  if (to !== undefined) attributes.push({ type: c.RTA_DST, value: to });
  if (gateway !== undefined) attributes.push({ type: c.RTA_GATEWAY, value: gateway });
  if (route.link !== undefined) attributes.push(u32(c.RTA_OIF, route.link));
  if (route.metric !== undefined) attributes.push(u32(c.RTA_PRIORITY, route.metric));
  if (route.source !== undefined) attributes.push({ type: c.RTA_PREFSRC, value: ipBytes(route.source) });
  if (table > 255) attributes.push(u32(c.RTA_TABLE, table));
  return { type, flags, body, attributes };
}

function destination(to: string, gateway: Uint8Array | undefined): { family: number; to?: Uint8Array; prefix: number } {
  if (to === "default4") return { family: AF_INET, prefix: 0 };
  if (to === "default6") return { family: AF_INET6, prefix: 0 };
  if (to === "default") return { family: gateway ? familyOf(gateway) : AF_INET, prefix: 0 };
  const { address, prefix } = cidrBytes(to);
  return { family: familyOf(address), to: address, prefix };
}
