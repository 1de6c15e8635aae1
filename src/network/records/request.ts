import { SampanError } from "../../errors/index.ts";
import { isLoopback, isMulticast } from "../addresses/address.ts";
import { overlap, type Prefix, printPrefix } from "../addresses/prefix.ts";
import { checkDriver } from "../egress/driver.ts";
import { checkPolicy } from "../egress/policy.ts";
import type { EgressPolicy } from "../egress/types.ts";
import { parseSubnets, type WantedSubnet } from "../ipam/validate.ts";
import type { Driver, NetworkRecord } from "../types.ts";
import { checkDriverOptions, option, parseBoolean } from "./driver-options.ts";
import type { NetworkRequest } from "./types.ts";

/** A network-create request that has been found right, apart from what other networks have. */
export interface CheckedRequest {
  readonly driver: "bridge" | "macvlan" | "ipvlan";
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly subnets: readonly WantedSubnet[];
  readonly egress?: EgressPolicy;
}

const predefinedNames: ReadonlySet<string> = new Set(["bridge", "host", "none", "default"]);

/** Checks a request as dockerd does, in its order and words. `defaults` are options by driver where the request has none. */
export function checkRequest(
  request: NetworkRequest,
  defaults: Readonly<Record<string, Readonly<Record<string, string>>>>,
): CheckedRequest {
  checkName(request.name);
  const name = request.driver || "bridge";
  const given = { ...defaults[name], ...request.options };
  const ipv4 = familyOf(request.ipv4, given, option.ipv4, true);
  const ipv6 = familyOf(request.ipv6, given, option.ipv6, false);
  const subnets = parseSubnets(request.ipam?.config ?? [], { ipv4, ipv6 });
  refuseUnsupported(request);
  const driver = driverOf(name);
  if (driver === "host" || driver === "null") {
    throw new SampanError("denied", `only one instance of "${driver}" network is allowed`);
  }
  checkDriverOptions(driver, given, { internal: request.internal ?? false, ipv6 });
  if (driver === "bridge" && !ipv4 && !ipv6) throw new SampanError("invalid", "IPv4 or IPv6 must be enabled");
  const wanted = withDefaults(subnets, ipv4, ipv6);
  checkIpam(request, driver, wanted, { ipv4, ipv6 });
  if (request.egress) checkDriver(driver, request.name);
  const egress = request.egress && checkPolicy(request.egress);
  return { driver, ipv4, ipv6, options: given, subnets: wanted, ...(egress && { egress }) };
}

/** Throws for what no network of a user's is called. */
export function checkName(name: string): void {
  if (predefinedNames.has(name)) {
    throw new SampanError("denied", `operation is not permitted on predefined ${name} network `);
  }
  if (name.trim() === "") throw new SampanError("invalid", "invalid name: name is empty");
}

/** Whether a family is on: what the request says, else an option that is then no longer one. */
function familyOf(
  asked: boolean | undefined,
  options: Record<string, string>,
  name: string,
  fallback: boolean,
): boolean {
  const text = options[name];
  if (asked !== undefined) delete options[name];
  if (asked !== undefined || text === undefined) return asked ?? fallback;
  const value = parseBoolean(text);
  if (value === undefined) throw new SampanError("invalid", `driver-opt ${JSON.stringify(name)} is not a valid bool`);
  return value;
}

function refuseUnsupported({ name, ingress, scope }: NetworkRequest): void {
  if (ingress) throw new SampanError("denied", "Ingress network can only be global scope network");
  if (scope === "swarm") {
    throw new SampanError("denied", "cannot create a swarm scoped network when swarm is not active");
  }
  if (scope && scope !== "local") {
    throw new SampanError("invalid", `Cannot create the network ${name} with scope ${scope}: the only scope is local`);
  }
}

const drivers: ReadonlyMap<string, Driver> = new Map(
  (["bridge", "macvlan", "ipvlan", "host", "null"] as const).map((name) => [name, name]),
);

function driverOf(name: string): Driver {
  if (name === "overlay") {
    const text =
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
    throw new SampanError("denied", text);
  }
  return drivers.get(name) ?? noPlugin(name);
}

function noPlugin(name: string): never {
  throw new SampanError("not-found", `plugin ${JSON.stringify(name)} not found`);
}

/** A family that is on and has no subnet gets one of ours. */
function withDefaults(subnets: readonly WantedSubnet[], ipv4: boolean, ipv6: boolean): WantedSubnet[] {
  const missing = ([4, 6] as const).filter(
    (family) => (family === 4 ? ipv4 : ipv6) && !subnets.some((subnet) => subnet.family === family),
  );
  return [...subnets, ...missing.map((family) => ({ family, auxiliary: new Map<string, bigint>() }))].sort(
    (a, b) => a.family - b.family,
  );
}

function checkIpam(
  { ipam }: NetworkRequest,
  driver: NetworkRecord["driver"],
  subnets: readonly WantedSubnet[],
  on: { readonly ipv4: boolean; readonly ipv6: boolean },
): void {
  const ipamDriver = ipam?.driver || "default";
  if (ipamDriver === "null") {
    if (on.ipv4) throw new SampanError("invalid", "ipv4 pool is empty");
    if (on.ipv6) throw new SampanError("invalid", "ipv6 pool is empty");
  } else if (ipamDriver !== "default") noPlugin(ipamDriver);
  if (driver !== "bridge") return;
  if (([4, 6] as const).some((family) => subnets.filter((subnet) => subnet.family === family).length > 1)) {
    throw new SampanError("denied", "bridge driver doesn't support multiple subnets");
  }
  for (const { subnet } of subnets) if (subnet) checkBridgeSubnet(subnet);
}

const linkLocal: Prefix = { family: 6, address: 0xfe80n << 112n, bits: 64 };

/**
 * A bridge has an ordinary address. The kernel gives every bridge one of fe80::/64: another prefix length for the same
 * addresses only confuses.
 */
function checkBridgeSubnet(subnet: Prefix): void {
  const text = printPrefix(subnet);
  const ip = { family: subnet.family, value: subnet.address };
  if (isMulticast(ip)) throw new SampanError("invalid", `multicast subnet '${text}' is not allowed`);
  if (isLoopback(ip)) throw new SampanError("invalid", `loopback subnet '${text}' is not allowed`);
  if (text !== printPrefix(linkLocal) && overlap(subnet, linkLocal)) {
    throw new SampanError("invalid", `'${text}' clashes with the Link-Local prefix 'fe80::/64'`);
  }
}
