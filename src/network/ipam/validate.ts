import { SampanError } from "../../errors/index.ts";
import { type Family, isUnspecified, parseAddress, printAddress } from "../addresses/address.ts";
import { containsAddress, masked, overlap, type Prefix, parsePrefix, printPrefix } from "../addresses/prefix.ts";
import { joinProblems } from "../problems.ts";
import type { IpamConfig } from "./types.ts";

/** One subnet as it was asked for, parsed. */
export interface WantedSubnet {
  readonly family: Family;
  /** Absent: one of the default pools, of `size` bits if that is given. */
  readonly subnet?: Prefix;
  readonly size?: number;
  readonly range?: Prefix;
  readonly gateway?: bigint;
  readonly auxiliary: ReadonlyMap<string, bigint>;
}

/**
 * Parses the subnets of a network-create request. All that is wrong with them is one `invalid` error in dockerd's words.
 * IPv6 subnets of a network without IPv6 are left out, as dockerd does: many Compose files have them.
 */
export function parseSubnets(
  configs: readonly IpamConfig[],
  families: { ipv4: boolean; ipv6: boolean },
): WantedSubnet[] {
  const problems: string[] = [];
  const wanted = configs.flatMap((config) => {
    const subnet = config.subnet ? parsePrefix(config.subnet) : undefined;
    if (config.subnet && !subnet) {
      problems.push(`invalid subnet ${config.subnet}: invalid CIDR block notation`);
      return [];
    }
    if (subnet?.family === 6 && !families.ipv6) return [];
    const parsed = parseSubnet(config, subnet, problems);
    return parsed.family === 4 && !families.ipv4 ? [] : [parsed];
  });
  if (problems.length === 0) return wanted;
  throw new SampanError("invalid", `invalid network config:\n${joinProblems(problems)}`);
}

function parseSubnet(config: IpamConfig, subnet: Prefix | undefined, problems: string[]): WantedSubnet {
  const family = subnet?.family ?? 4;
  if (subnet && subnet.address !== masked(subnet).address) {
    problems.push(`invalid subnet ${printPrefix(subnet)}: it should be ${printPrefix(masked(subnet))}`);
  }
  const range = config.ipRange ? parseRange(config.ipRange, subnet, family, problems) : undefined;
  const address = (text: string, what: string): bigint | undefined => {
    const { value, problem } = parseMember(text, subnet, family);
    if (problem) problems.push(`invalid ${what}: ${problem}`);
    return value;
  };
  const gateway = config.gateway ? address(config.gateway, `gateway ${config.gateway}`) : undefined;
  const auxiliary = new Map<string, bigint>();
  for (const [name, text] of Object.entries(config.auxiliary ?? {})) {
    const value = address(text, `auxiliary address ${name}`);
    if (value !== undefined) auxiliary.set(name, value);
  }
  const chosen = subnet && !isUnspecified({ family, value: subnet.address });
  return {
    family,
    ...(chosen ? { subnet } : subnet && subnet.bits > 0 ? { size: subnet.bits } : {}),
    ...(range && { range }),
    ...(gateway !== undefined && { gateway }),
    auxiliary,
  };
}

function parseRange(text: string, subnet: Prefix | undefined, family: Family, problems: string[]): Prefix | undefined {
  const range = parsePrefix(text);
  const refuse = (reason: string) => problems.push(`invalid ip-range ${text}: ${reason}`);
  if (!range) refuse("invalid CIDR block notation");
  else if (!subnet) refuse("it needs a subnet that it is part of");
  else if (range.family !== family) refuse(`parent subnet is an IPv${family} block`);
  else {
    const parent = printPrefix(subnet);
    if (range.bits < subnet.bits) refuse(`CIDR block is bigger than its parent subnet ${parent}`);
    if (range.address !== masked(range).address) refuse(`it should be ${printPrefix(masked(range))}`);
    if (!overlap(subnet, range)) refuse(`parent subnet ${parent} doesn't contain ip-range`);
  }
  return range;
}

function parseMember(text: string, subnet: Prefix | undefined, family: Family): { value?: bigint; problem?: string } {
  const ip = parseAddress(text);
  if (!ip) return { problem: "invalid address" };
  if (!subnet) return { problem: "it needs a subnet that it is part of" };
  if (ip.family !== family) return { problem: `parent subnet is an IPv${family} block` };
  if (containsAddress(subnet, ip)) return { value: ip.value };
  return { problem: `parent subnet ${printPrefix(subnet)} doesn't contain this address` };
}

/** The subnet's own way to write an address of its family. */
export function printMember(subnet: Prefix, value: bigint): string {
  return printAddress({ family: subnet.family, value });
}
