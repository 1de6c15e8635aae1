import { SampanError } from "../../errors/index.ts";
import { canonicalAddress } from "../addresses/address.ts";
import type { PublishedPort } from "../types.ts";
import { portTaken, publishError } from "./errors.ts";
import { TakenPorts } from "./taken.ts";
import type { PortRange, PortRequest, PublishTarget } from "./types.ts";

export interface PortsOptions {
  /** Where ports that nobody chose are from; the kernel's ephemeral ports when absent. */
  readonly dynamic?: PortRange;
  /** net.ipv4.ip_local_reserved_ports: not for those that nobody chose. */
  readonly reserved?: ReadonlySet<number>;
}

/** The kernel's net.ipv4.ip_local_port_range where nobody has changed it. */
const ephemeral: PortRange = { first: 32768, last: 60999 };

/** Requests that are to get the same port, at different addresses of the machine. */
interface Group {
  readonly request: PortRequest;
  readonly addresses: string[];
  /** No port of the machine is needed. */
  readonly routed: boolean;
}

/**
 * Which ports of the machine our containers have. Whether another process has one only `bind` knows: when it says so of a
 * port that nobody chose, `undo` and `allocate` again choose another in its place.
 */
export class Ports {
  readonly #taken = new TakenPorts();
  readonly #dynamic: PortRange;
  readonly #reserved: ReadonlySet<number>;
  /** The port that was given last of each range: the search goes on after it. */
  readonly #last = new Map<string, number>();

  constructor({ dynamic = ephemeral, reserved = new Set() }: PortsOptions = {}) {
    this.#dynamic = dynamic;
    this.#reserved = reserved;
  }

  /**
   * Chooses the host's addresses and ports for all requests of one container, or throws and chooses none. As dockerd: a
   * request without an address is for every address of each family that the container has, with one port for both.
   * `refused` are ports that other processes have: they are not chosen.
   */
  allocate(
    requests: readonly PortRequest[],
    target: PublishTarget,
    refused: readonly PublishedPort[] = [],
  ): PublishedPort[] {
    const published: PublishedPort[] = [];
    try {
      for (const group of groupsOf(requests, target)) {
        const hostPort = group.routed ? 0 : this.#choose(group, target, refused);
        const { protocol, containerPort } = group.request;
        for (const hostAddress of group.addresses) {
          const port = { protocol, containerPort, hostAddress, hostPort };
          this.#taken.add(port);
          published.push(port);
        }
      }
      return published;
    } catch (error) {
      this.release(published);
      throw error;
    }
  }

  /** Gives ports back. Ports that nobody has are no error. */
  release(ports: readonly PublishedPort[]): void {
    for (const port of ports) this.#taken.delete(port);
  }

  /** As `release`, and these are the next to be chosen. */
  undo(ports: readonly PublishedPort[]): void {
    this.release(ports);
    for (const { protocol, hostPort } of ports.toReversed()) {
      for (const [key, last] of this.#last) {
        if (last === hostPort && key.startsWith(`${protocol} `)) this.#last.set(key, hostPort - 1);
      }
    }
  }

  /** Takes again what running containers have had under an earlier daemon. */
  restore(ports: readonly PublishedPort[]): void {
    for (const port of ports) this.#taken.add(port);
  }

  #choose({ request, addresses }: Group, target: PublishTarget, refused: readonly PublishedPort[]): number {
    const { hostPort, protocol } = request;
    if (typeof hostPort === "number") {
      for (const address of addresses) {
        const taken = this.#taken.conflict(protocol, hostPort, address);
        if (taken !== undefined) throw portTaken(target, { hostAddress: taken, hostPort });
      }
      return hostPort;
    }
    const { first, last } = hostPort ?? this.#dynamic;
    const key = `${protocol} ${first}-${last}`;
    const count = last - first + 1;
    const start = (this.#last.get(key) ?? last) + 1 - first;
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      if (hostPort === undefined && this.#reserved.has(port)) continue;
      if (refused.some((other) => other.hostPort === port && other.protocol === protocol)) continue;
      if (addresses.some((address) => this.#taken.conflict(protocol, port, address) !== undefined)) continue;
      this.#last.set(key, port);
      return port;
    }
    throw publishError(target, "all ports are allocated");
  }
}

/** Whether nobody asked for just this port: another one would do, too, when it turns out to be some other process's. */
export function isFlexible(requests: readonly PortRequest[], port: PublishedPort): boolean {
  return !requests.some(
    ({ protocol, containerPort, hostPort }) =>
      protocol === port.protocol && containerPort === port.containerPort && hostPort === port.hostPort,
  );
}

/** Requests for the same port of the container that differ in nothing but the address belong together. */
function groupsOf(requests: readonly PortRequest[], target: PublishTarget): Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const request of requests) {
    const { protocol, containerPort, hostPort } = request;
    const { addresses, routed } = addressesOf(request, target);
    if (routed.length > 0) groups.push({ request, addresses: routed, routed: true });
    if (addresses.length === 0) continue;
    const key = JSON.stringify([protocol, containerPort, hostPort ?? 0]);
    const group = open.get(key);
    if (group && !group.addresses.some((address) => addresses.includes(address))) {
      group.addresses.push(...addresses);
      continue;
    }
    const own = { request, addresses, routed: false };
    open.set(key, own);
    groups.push(own);
  }
  return groups;
}

/** The families that a request is for, with the address of the machine that was asked for. */
interface Wanted {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

function addressesOf(request: PortRequest, target: PublishTarget): { addresses: string[]; routed: string[] } {
  const { ipv4, ipv6 } = wantedOf(request, target);
  const addresses: string[] = [];
  const routed: string[] = [];
  if (ipv4 !== undefined) target.routed4 ? routed.push("0.0.0.0") : addresses.push(ipv4);
  if (ipv6 !== undefined) target.routed6 ? routed.push("::") : addresses.push(ipv6);
  return { addresses, routed };
}

/** Where a request is published. Nothing is where the container has no address that is reached from outside. */
function wantedOf({ hostAddress, containerPort, protocol }: PortRequest, target: PublishTarget): Wanted {
  const { ipv4, ipv6, defaultHostAddress = "0.0.0.0" } = target;
  if (!ipv4 && !ipv6) return {};
  const asked = hostAddress ?? defaultHostAddress;
  const address = canonicalAddress(asked);
  if (address === undefined) {
    throw new SampanError("invalid", `Cannot publish ${containerPort}/${protocol} on ${asked}: it is no IP address`);
  }
  if (hostAddress === undefined && address === "0.0.0.0") {
    return { ...(ipv4 && { ipv4: "0.0.0.0" }), ...(ipv6 && { ipv6: "::" }) };
  }
  const isIpv6 = address.includes(":");
  if (isIpv6 ? ipv6 : ipv4) return isIpv6 ? { ipv6: address } : { ipv4: address };
  const family = isIpv6 ? "IPv6" : "IPv4";
  throw new SampanError(
    "unsupported",
    `Cannot publish ${containerPort}/${protocol} on ${address}: the container has no ${family} address, ` +
      `give its network ${family} (${isIpv6 ? "--ipv6" : "--ipv4"}) or publish on an ${isIpv6 ? "IPv4" : "IPv6"} address`,
  );
}
