import { SampanError } from "../../errors/index.ts";
import { canonicalAddress, type Family, isLinkLocal, isUnspecified, parseAddress } from "../addresses/address.ts";
import { holds } from "../ipam/parsed.ts";
import { joinProblems } from "../problems.ts";
import type { EndpointRequest, NetworkRecord } from "../types.ts";
import { isUnicastMac, parseMac } from "./mac.ts";

const userDefinedOnly: ReadonlySet<string> = new Set(["bridge", "host", "none", "default"]);

/** Driver options of an endpoint, as Docker has them. */
export const endpointOption = {
  sysctls: "com.docker.network.endpoint.sysctls",
  interfaceName: "com.docker.network.endpoint.ifname",
} as const;

/**
 * Checks what a container asks of a network, and writes its addresses in the one way. All that is wrong is one `invalid`
 * error in dockerd's words. `network` is undefined when a container is made for a network that does not exist yet.
 */
export function checkEndpoint(
  name: string,
  network: NetworkRecord | undefined,
  request: EndpointRequest,
): EndpointRequest {
  const problems: string[] = [];
  if (userDefinedOnly.has(name)) {
    if (request.ipv4 || request.ipv6) {
      problems.push("user specified IP address is supported on user defined networks only");
    }
    if (request.aliases.length > 0) {
      problems.push("network-scoped alias is supported only for containers in user defined networks");
    }
  }
  const ipv4 = checkAddress(request.ipv4, 4, problems);
  const ipv6 = checkAddress(request.ipv6, 6, problems);
  const linkLocal = request.linkLocal.flatMap((text) => checkLinkLocal(text, problems) ?? []);
  for (const address of [ipv4, ipv6]) {
    if (address && network && !isOf(network, address))
      problems.push(`no configured subnet or ip-range contain the IP address ${address}`);
  }
  const macAddress = checkMac(request.macAddress, network, problems);
  checkOptions(request.driverOptions, problems);
  if (problems.length > 0) {
    throw new SampanError("invalid", `invalid endpoint settings:\n${joinProblems(problems)}`);
  }
  const { ipv4: _4, ipv6: _6, macAddress: _mac, ...rest } = request;
  return { ...rest, linkLocal, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), ...(macAddress && { macAddress }) };
}

function checkAddress(text: string | undefined, family: Family, problems: string[]): string | undefined {
  if (!text) return undefined;
  const ip = parseAddress(text);
  if (ip?.family === family && !isUnspecified(ip)) return canonicalAddress(text);
  problems.push(`invalid IPv${family} address: ${text}`);
  return undefined;
}

function checkLinkLocal(text: string, problems: string[]): string | undefined {
  const ip = parseAddress(text);
  if (ip && isLinkLocal(ip)) return canonicalAddress(text);
  problems.push(`invalid link-local IP address: ${text}`);
  return undefined;
}

function checkMac(
  text: string | undefined,
  network: NetworkRecord | undefined,
  problems: string[],
): string | undefined {
  if (!text) return undefined;
  const mac = parseMac(text);
  if (!mac || !isUnicastMac(mac)) problems.push(`invalid MAC address: ${text}`);
  else if (network?.driver === "ipvlan") {
    problems.push("ipvlan interfaces do not support custom mac address assignment");
  }
  return mac;
}

function checkOptions(options: Readonly<Record<string, string>>, problems: string[]): void {
  for (const sysctl of options[endpointOption.sysctls]?.split(",") ?? []) {
    if (/^[^.]+\.(ipv4|ipv6|mpls)\.[^.]+\.(IFNAME|ifname)\.[^./=]+=/.test(sysctl) && !sysctl.includes("/")) continue;
    const form = "represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'";
    problems.push(`unrecognised network interface sysctl '${sysctl}'; ${form}`);
  }
  const name = options[endpointOption.interfaceName];
  if (name !== undefined && (!/^[^\s/:]{1,15}$/.test(name) || name === "lo")) {
    problems.push(`invalid interface name: ${name}`);
  }
}

function isOf({ subnets }: NetworkRecord, address: string): boolean {
  const ip = parseAddress(address);
  return ip !== undefined && subnets.some((subnet) => holds(subnet, ip));
}
