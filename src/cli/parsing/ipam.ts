import { BlockList, isIP } from "node:net";
import type { IpamConfig } from "../../api/shapes/network.ts";
import { invalid } from "../errors.ts";

/** What `network create` says about addresses, each flag by itself. */
export interface IpamFlags {
  readonly subnets: readonly string[];
  readonly ranges: readonly string[];
  readonly gateways: readonly string[];
  readonly auxiliary: readonly (readonly [name: string, address: string])[];
}

/** One IpamConfig per subnet, with the ranges, gateways and addresses that lie in it. Throws with docker's texts. */
export function ipamConfigs({ subnets, ranges, gateways, auxiliary }: IpamFlags): IpamConfig[] {
  if (subnets.length < ranges.length || subnets.length < gateways.length) {
    throw invalid("every ip-range or gateway must have a corresponding subnet");
  }
  const configs = subnets.map((text): IpamConfig & { Subnet: string } => ({ Subnet: text }));
  for (const [index, { Subnet }] of configs.entries()) {
    const before = configs.slice(0, index);
    if (before.some((other) => contains(other.Subnet, Subnet) || contains(Subnet, other.Subnet))) {
      throw invalid("multiple overlapping subnet configuration is not supported");
    }
  }
  const subnetOf = (text: string, what: string): IpamConfig => {
    const found = configs.find(({ Subnet }) => contains(Subnet, text));
    if (found === undefined) throw invalid(`no matching subnet for ${what} ${text}`);
    return found;
  };
  for (const text of ranges) {
    const config = subnetOf(cidr(text), "range");
    if (config.IPRange !== undefined)
      throw invalid(
        `cannot configure multiple ranges (${text}, ${config.IPRange}) on the same subnet (${config.Subnet})`,
      );
    config.IPRange = text;
  }
  for (const text of gateways) {
    const config = subnetOf(text, "gateway");
    if (config.Gateway !== undefined)
      throw invalid(
        `cannot configure multiple gateways (${text}, ${config.Gateway}) for the same subnet (${config.Subnet})`,
      );
    config.Gateway = text;
  }
  for (const [name, address] of auxiliary) {
    const config = subnetOf(address, "aux-address");
    config.AuxiliaryAddresses = { ...config.AuxiliaryAddresses, [name]: address };
  }
  return configs;
}

function cidr(text: string): string {
  if (networkOf(text) === undefined) throw invalid(`invalid CIDR address: ${text}`);
  return text;
}

/** Whether an address, or the address of a range, lies in a subnet. What cannot be read lies nowhere: the daemon refuses it. */
function contains(subnet: string, text: string): boolean {
  const network = networkOf(subnet);
  const [address = ""] = text.split("/");
  const family = isIP(address);
  if (network === undefined || family !== isIP(network.address)) return false;
  const list = new BlockList();
  list.addSubnet(network.address, network.bits, nameOf(family));
  return list.check(address, nameOf(family));
}

function networkOf(text: string): { readonly address: string; readonly bits: number } | undefined {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const family = isIP(address);
  return family === 0 || Number(bits) > (family === 6 ? 128 : 32) ? undefined : { address, bits: Number(bits) };
}

function nameOf(family: number): "ipv4" | "ipv6" {
  return family === 6 ? "ipv6" : "ipv4";
}
