import { type Attribute, be16, bytes, nested, u8, u32 } from "../attribute.ts";
import { present, readBe16, readBe32, readNested, readU8 } from "../fields.ts";
import { AF_INET, AF_INET6, familyOf, ipBytes, ipText } from "../ip.ts";
import { decodeAttributes, decodeMessages, NLM_F_DUMP, type Request } from "../message.ts";
import { NFNL_SUBSYS_CTNETLINK, nfRequest } from "../nfnetlink.ts";
import * as c from "./constants.ts";
import { type Endpoints, type Flow, type FlowFilter, matches } from "./flow.ts";

type Attributes = ReadonlyMap<number, Uint8Array>;

/**
 * Asks for connections. The table may have hundreds of thousands, so the kernel compares what it can: the family of the
 * filter's first address, IPv4 addresses, and with a protocol TCP's and UDP's ports; `decodeFlows` with the same filter the rest.
 */
export function dumpFlows(filter: FlowFilter = {}): Request {
  const tuples = [filter.original, filter.reply];
  const address = tuples.flatMap((tuple) => [tuple?.source, tuple?.destination]).find((text) => text !== undefined);
  const family = address === undefined ? (filter.family ?? 0) : familyOf(ipBytes(address));
  const flags = { original: flagsOf(family, filter.original), reply: flagsOf(family, filter.reply) };
  const attributes: Attribute[] = [];
  // The kernel compares nothing where it does not know the family.
  if (family !== 0 && (flags.original !== 0 || flags.reply !== 0)) {
    if (filter.original) attributes.push(nested(c.CTA_TUPLE_ORIG, tupleOf(filter.original)));
    if (filter.reply) attributes.push(nested(c.CTA_TUPLE_REPLY, tupleOf(filter.reply)));
    const compared = [u32(c.CTA_FILTER_ORIG_FLAGS, flags.original), u32(c.CTA_FILTER_REPLY_FLAGS, flags.reply)];
    attributes.push(nested(c.CTA_FILTER, compared));
  }
  return nfRequest(NFNL_SUBSYS_CTNETLINK, c.IPCTNL_MSG_CT_GET, family, NLM_F_DUMP, attributes);
}

/** The connections in what was received that the filter is about. */
export function decodeFlows(received: Uint8Array, filter: FlowFilter = {}): Flow[] {
  const wanted = (NFNL_SUBSYS_CTNETLINK << 8) | c.IPCTNL_MSG_CT_NEW;
  return decodeMessages(received)
    .filter(({ type, payload }) => type === wanted && (payload[0] === AF_INET || payload[0] === AF_INET6))
    .map(({ payload }) => flowOf(payload[0] ?? 0, decodeAttributes(payload.subarray(4))))
    .filter((flow) => matches(flow, filter));
}

function flowOf(family: number, attributes: Attributes): Flow {
  return {
    original: endpointsOf(readNested(attributes, c.CTA_TUPLE_ORIG)),
    reply: endpointsOf(readNested(attributes, c.CTA_TUPLE_REPLY)),
    status: readBe32(attributes, c.CTA_STATUS) ?? 0,
    mark: readBe32(attributes, c.CTA_MARK) ?? 0,
    id: readBe32(attributes, c.CTA_ID) ?? 0,
    ...present({ zone: readBe16(attributes, c.CTA_ZONE) }),
    tuple: attributes.get(c.CTA_TUPLE_ORIG) ?? new Uint8Array(),
    family,
  };
}

function endpointsOf(tuple: Attributes): Endpoints {
  const ip = readNested(tuple, c.CTA_TUPLE_IP);
  const proto = readNested(tuple, c.CTA_TUPLE_PROTO);
  const address = (v4: number, v6: number) => ipText(ip.get(v4) ?? ip.get(v6) ?? new Uint8Array(4));
  return {
    source: address(c.CTA_IP_V4_SRC, c.CTA_IP_V6_SRC),
    destination: address(c.CTA_IP_V4_DST, c.CTA_IP_V6_DST),
    protocol: readU8(proto, c.CTA_PROTO_NUM) ?? 0,
    ...present({
      sourcePort: readBe16(proto, c.CTA_PROTO_SRC_PORT),
      destinationPort: readBe16(proto, c.CTA_PROTO_DST_PORT),
    }),
  };
}

function tupleOf(wanted: Partial<Endpoints>): Attribute[] {
  const ip: Attribute[] = [];
  const address = (text: string | undefined, v4: number, v6: number) => {
    if (text === undefined) return;
    const value = ipBytes(text);
    ip.push(bytes(value.length === 4 ? v4 : v6, value));
  };
  address(wanted.source, c.CTA_IP_V4_SRC, c.CTA_IP_V6_SRC);
  address(wanted.destination, c.CTA_IP_V4_DST, c.CTA_IP_V6_DST);
  if (wanted.protocol === undefined) return ip.length > 0 ? [nested(c.CTA_TUPLE_IP, ip)] : [];
  const proto = [u8(c.CTA_PROTO_NUM, wanted.protocol)];
  if (wanted.sourcePort !== undefined) proto.push(be16(c.CTA_PROTO_SRC_PORT, wanted.sourcePort));
  if (wanted.destinationPort !== undefined) proto.push(be16(c.CTA_PROTO_DST_PORT, wanted.destinationPort));
  return [...(ip.length > 0 ? [nested(c.CTA_TUPLE_IP, ip)] : []), nested(c.CTA_TUPLE_PROTO, proto)];
}

/**
 * Ports mean nothing to the kernel without a protocol, and of IPv6 it passes those whose address differs (its comparison is
 * the wrong way round, seen in Linux 6.18), so it is not asked.
 */
function flagsOf(family: number, wanted: Partial<Endpoints> = {}): number {
  const names = Object.keys(c.filterFlags) as (keyof typeof c.filterFlags)[];
  return names.reduce((flags, name) => {
    const address = name === "source" || name === "destination";
    const asked = address ? family === AF_INET : wanted.protocol !== undefined;
    return asked && wanted[name] !== undefined ? flags | c.filterFlags[name] : flags;
  }, 0);
}
