import { SampanError } from "../../errors/index.ts";
import type { Ip } from "../addresses/address.ts";
import { firstOf, lastOf, masked, type Prefix, parsePrefix } from "../addresses/prefix.ts";
import type { Subnet } from "../types.ts";

/** A subnet with its text read. */
interface ParsedSubnet {
  readonly prefix: Prefix;
  readonly first: bigint;
  readonly last: bigint;
}

/** Each start of a container wants it of the same few objects. */
const parsed = new WeakMap<Subnet, ParsedSubnet>();

export function parseSubnet(subnet: Subnet): ParsedSubnet {
  const known = parsed.get(subnet);
  if (known) return known;
  const prefix = prefixOf(subnet.subnet);
  const result = { prefix, first: firstOf(prefix), last: lastOf(prefix) };
  parsed.set(subnet, result);
  return result;
}

/** Whether the address is one of the subnet's. */
export function holds(subnet: Subnet, { family, value }: Ip): boolean {
  const { prefix, first, last } = parseSubnet(subnet);
  return prefix.family === family && value >= first && value <= last;
}

/** Where containers' addresses of a network come from. */
export function rangeText({ subnet, ipRange }: Subnet): string {
  return ipRange ?? subnet;
}

export function prefixOf(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (!prefix) throw new SampanError("internal", `Cannot use the stored subnet ${text}: it is not in CIDR notation`);
  return masked(prefix);
}
