import { randomBytes } from "node:crypto";
import { SampanError } from "../../errors/index.ts";
import { type Family, parseAddress } from "../addresses/address.ts";
import { holds } from "../ipam/parsed.ts";
import { option } from "../records/driver-options.ts";
import type { NetworkRecords } from "../records/records.ts";
import type { Address, Endpoint, EndpointRequest, NetworkRecord, Subnet } from "../types.ts";
import { macOf } from "./mac.ts";

const hostInterfaceDigits = 11;

/**
 * Which endpoints there are, and their addresses. In memory: an endpoint is stored with its container, and told here
 * again by `restore` when a daemon starts.
 */
export class Endpoints {
  readonly #networks: NetworkRecords;
  readonly #byNetwork = new Map<string, Map<string, Endpoint>>();

  constructor(networks: NetworkRecords) {
    this.#networks = networks;
  }

  /**
   * Gives a container its addresses on a network; nothing in the kernel. `request` has passed `checkEndpoint`. Throws
   * dockerd's texts when an address is taken ("denied") or none is left ("exhausted").
   */
  allocate(network: NetworkRecord, request: EndpointRequest, containerId: string, interfaceName: string): Endpoint {
    const ipv4 = network.ipv4 ? this.#assign(network, 4, request.ipv4) : undefined;
    try {
      const ipv6 = network.ipv6 ? this.#assign(network, 6, request.ipv6) : undefined;
      const endpoint = build(network, request, { ipv4, ipv6 }, containerId, interfaceName);
      this.#remember(endpoint);
      return endpoint;
    } catch (error) {
      if (ipv4) this.#unassign(network, ipv4.address);
      throw error;
    }
  }

  /** Gives an endpoint's addresses back. One that is not there is no error. */
  release({ id, networkId, ipv4, ipv6 }: Endpoint): void {
    const here = this.#byNetwork.get(networkId);
    if (!here?.delete(id)) return;
    if (here.size === 0) this.#byNetwork.delete(networkId);
    const network = this.#networks.byId(networkId);
    if (!network) return;
    for (const address of [ipv4, ipv6]) if (address) this.#unassign(network, address.address);
  }

  /** Takes again what a running container has had under an earlier daemon: never refused, its traffic flows. */
  restore(endpoint: Endpoint): void {
    const network = this.#networks.byId(endpoint.networkId);
    for (const address of [endpoint.ipv4?.address, endpoint.ipv6?.address]) {
      const subnet = network && address && subnetOf(network, address);
      if (subnet) this.#networks.ipam.adoptAddress(subnet, address);
    }
    this.#remember(endpoint);
  }

  /**
   * Keeps the static addresses of a container that is there, running or not: nobody gets them who did not ask for just
   * these. To be called when such a container is made, loaded or connected, `unhold` when it is removed or disconnected.
   */
  hold(network: NetworkRecord, { ipv4, ipv6 }: Pick<EndpointRequest, "ipv4" | "ipv6">): void {
    for (const { subnet, address } of placed(network, ipv4, ipv6)) this.#networks.ipam.hold(subnet, address);
  }

  unhold(network: NetworkRecord, { ipv4, ipv6 }: Pick<EndpointRequest, "ipv4" | "ipv6">): void {
    for (const { subnet, address } of placed(network, ipv4, ipv6)) this.#networks.ipam.unhold(subnet, address);
  }

  /** What is joined to a network. */
  of(networkId: string): Endpoint[] {
    return [...(this.#byNetwork.get(networkId)?.values() ?? [])];
  }

  #assign(network: NetworkRecord, family: Family, wanted: string | undefined): Address | undefined {
    const subnets = network.subnets.filter(({ subnet }) => subnet.includes(":") === (family === 6));
    if (subnets.length === 0) return undefined;
    if (wanted !== undefined) {
      const subnet = subnetOf(network, wanted);
      if (!subnet) {
        const text = `invalid address ${wanted}: It does not belong to any of this network's subnets`;
        throw new SampanError("invalid", text);
      }
      this.#networks.ipam.take(subnet, wanted);
      return addressIn(network, subnet, wanted);
    }
    for (const subnet of subnets) {
      const address = this.#networks.ipam.takeAny(subnet);
      if (address) return addressIn(network, subnet, address);
    }
    const where = `${network.name} (${network.id})`;
    throw new SampanError("exhausted", `no available IPv${family} addresses on this network's address pools: ${where}`);
  }

  #unassign(network: NetworkRecord, address: string): void {
    const subnet = subnetOf(network, address);
    if (subnet) this.#networks.ipam.releaseAddress(subnet, address);
  }

  #remember(endpoint: Endpoint): void {
    const here = this.#byNetwork.get(endpoint.networkId) ?? new Map<string, Endpoint>();
    here.set(endpoint.id, endpoint);
    this.#byNetwork.set(endpoint.networkId, here);
  }
}

function build(
  network: NetworkRecord,
  request: EndpointRequest,
  { ipv4, ipv6 }: { readonly ipv4: Address | undefined; readonly ipv6: Address | undefined },
  containerId: string,
  interfaceName: string,
): Endpoint {
  const id = randomBytes(32).toString("hex");
  const hasOwnMac = network.driver === "bridge" || network.driver === "macvlan";
  return {
    id,
    networkId: network.id,
    containerId,
    interfaceName,
    ...(network.driver === "bridge" && { hostInterface: `veth${id.slice(0, hostInterfaceDigits)}` }),
    macAddress: hasOwnMac ? (request.macAddress ?? macOf(ipv4?.address, ipv6?.address)) : "",
    ...(ipv4 && { ipv4 }),
    ...(ipv6 && { ipv6 }),
    linkLocal: request.linkLocal,
    gatewayPriority: request.gatewayPriority,
    driverOptions: request.driverOptions,
  };
}

function subnetOf({ subnets }: NetworkRecord, address: string): Subnet | undefined {
  const ip = parseAddress(address);
  return ip && subnets.find((subnet) => holds(subnet, ip));
}

function placed(network: NetworkRecord, ...addresses: readonly (string | undefined)[]) {
  return addresses.flatMap((address) => {
    const subnet = address && subnetOf(network, address);
    return subnet ? [{ subnet, address }] : [];
  });
}

function addressIn(network: NetworkRecord, subnet: Subnet, address: string): Address {
  const gateway = routerOf(network, subnet);
  return {
    address,
    prefix: Number(subnet.subnet.slice(subnet.subnet.lastIndexOf("/") + 1)),
    ...(gateway !== undefined && { gateway }),
  };
}

/**
 * Where a container's traffic for elsewhere goes: the bridge, or who an auxiliary address names. Nowhere on an internal
 * network and on one without a parent link; by the interface itself on ipvlan networks of layer 3.
 */
function routerOf(
  { driver, internal, options }: NetworkRecord,
  { subnet, gateway, auxiliary }: Subnet,
): string | undefined {
  if (internal) return undefined;
  if (driver === "bridge") {
    return auxiliary?.[subnet.includes(":") ? "DefaultGatewayIPv6" : "DefaultGatewayIPv4"] ?? gateway;
  }
  const layer3 = driver === "ipvlan" && /^l3/.test(options[option.ipvlanMode] ?? "");
  return options[option.parent] && !layer3 ? gateway : undefined;
}
