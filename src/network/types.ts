import type { Slot } from "../kernel/block.ts";
import type { Program } from "../kernel/program.ts";
import type { EgressPolicy } from "./egress/types.ts";
import type { IpamRequest } from "./ipam/types.ts";

/** What makes a network. "null" is Docker's name for the driver of the network "none". */
export type Driver = "bridge" | "host" | "null" | "macvlan" | "ipvlan";

/** One address range of a network, with everything decided: what IPAM chose and what the user asked for. */
export interface Subnet {
  /** CIDR of the network's own address: "172.18.0.0/16", "fd00:1::/64". */
  readonly subnet: string;
  /** Where containers' addresses are taken from; all of the subnet when absent. */
  readonly ipRange?: string;
  /** The bridge's own address; absent where there is none (internal macvlan). */
  readonly gateway?: string;
  /** Addresses that are somebody else's, by name. */
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/**
 * A network as it is stored. Life: created (stored, nothing in the kernel) → first container attaches (its bridge and
 * rules are made) → last container leaves (they may stay) → removed (stored record, bridge and rules are gone).
 */
export interface NetworkRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: Driver;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** "bridge", "host" and "none" are always there and cannot be removed. */
  readonly predefined: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly subnets: readonly Subnet[];
  /** Null: none were sent. */
  readonly ipamOptions: Readonly<Record<string, string>> | null;
  /** Driver options, with Docker's names: com.docker.network.bridge.name, parent, macvlan_mode, … */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Holds for all containers on it; none when absent. */
  readonly egress?: EgressPolicy;
  /** Of a configuration network, which is none itself: what networks that are made of it ask for. */
  readonly configuration?: IpamRequest;
  /** Name of the configuration network that it was made of. */
  readonly configFrom?: string;
}

/** An address of an endpoint. */
export interface Address {
  /** Without the prefix: "172.18.0.2". */
  readonly address: string;
  /** Bits of the network. */
  readonly prefix: number;
  readonly gateway?: string;
}

/** What a user asks of a container's connection to one network (Docker's EndpointSettings), validated. */
export interface EndpointRequest {
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocal: readonly string[];
  /** "02:42:ac:11:00:02"; chosen by us when absent. */
  readonly macAddress?: string;
  readonly aliases: readonly string[];
  /** The network with the highest is the default route's; then alphabetical, as dockerd has it. */
  readonly gatewayPriority: number;
  readonly driverOptions: Readonly<Record<string, string>>;
}

/**
 * A container's connection to one network. Life: allocated (addresses are its own, nothing in the kernel) → connected
 * (veth and address are in the container's network namespace) → released at the container's end or by disconnect; the
 * link itself vanishes with the namespace.
 */
export interface Endpoint {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly networkId: string;
  readonly containerId: string;
  /** In the container: "eth0". */
  readonly interfaceName: string;
  /** On the machine, for a veth: at most 15 bytes, "veth" and digits of the endpoint's id. */
  readonly hostInterface?: string;
  readonly macAddress: string;
  readonly ipv4?: Address;
  readonly ipv6?: Address;
  readonly linkLocal: readonly string[];
  readonly gatewayPriority: number;
  readonly driverOptions: Readonly<Record<string, string>>;
}

export type Protocol = "tcp" | "udp" | "sctp";

/** A port of a container that the machine answers at; both are decided. */
export interface PublishedPort {
  readonly protocol: Protocol;
  readonly containerPort: number;
  /** "0.0.0.0", "::", or one address. */
  readonly hostAddress: string;
  /** 0: none of the machine's, the network is routed and the container's own address answers. */
  readonly hostPort: number;
}

/** A container's network namespace, to a program that runs on the machine's side. */
export interface NamespaceAccess {
  /** Descriptor of the namespace. */
  readonly namespace: Slot | number;
  /** A NETLINK_ROUTE socket that was made inside: what is asked through it happens there. */
  readonly rtnetlink: Slot | number;
}

/** Everything that connects one container when it starts. */
export interface Attachment {
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /**
   * Adds the steps to `p`, which runs in the machine's network namespace, as the container's monitor-to-be: links,
   * addresses, routes, published ports. They are done before the container's program runs; a failing step fails the start. What
   * it answers adds the steps that give back what the monitor holds, after the end of the container's first process.
   */
  connect(p: Program, container: NamespaceAccess): (() => void) | undefined;
}

/** A port of another container on one network, to which a container is let even where neighbours are kept apart (enable_icc=false). */
export interface Opening {
  readonly networkId: string;
  /** The other container's, IPv4. */
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
}
