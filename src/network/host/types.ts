import type { Attachment, Endpoint, NetworkRecord, Opening, PublishedPort } from "../types.ts";

/** A container's endpoint with what its network is. */
export interface Connection {
  readonly network: NetworkRecord;
  readonly endpoint: Endpoint;
}

/** All that the machine does for one container's network. */
export interface ContainerNetworking {
  readonly containerId: string;
  /** All of them, also those whose driver does nothing here. */
  readonly connections: readonly Connection[];
  /** Published at the endpoint that `gatewayOf` names for the address family of the host's address. */
  readonly ports: readonly PublishedPort[];
  readonly openings?: readonly Opening[];
}

export interface HostOptions {
  /**
   * "direct": a published port is reachable whatever the host's own input chains say, as with Docker. "input": from outside
   * only where they accept the host's port (docs/decisions/published-ports-and-input-policy.md).
   */
  readonly publishPolicy?: "direct" | "input";
  /** --ip-forward=false: we never turn forwarding on. */
  readonly ipForward?: boolean;
}

/** An address range that the machine itself uses: what pools keep clear of. */
export interface UsedRange {
  /** CIDR: a route's destination, or the network of an address. */
  readonly range: string;
  readonly link: string;
  /** Somewhere behind a router. */
  readonly viaGateway?: boolean;
}

/**
 * The kernel's side of networks: bridges, links, addresses, routes and one nf_tables table, in the network namespace of the
 * daemon. It keeps no records: what it is told are whole networks and containers. Nothing is made before it is needed.
 *
 * Life: `openNetworkHost` → `recover` with what is running → the rest in any order → `close`.
 */
export interface NetworkHost {
  /** Whether `ensure` has nothing to do: asked at every start, and answered without the kernel's help. */
  ready(network: NetworkRecord): boolean;
  /** Makes the network's bridge or parent link and its elements in the rules; quick when they are there. Before `attachment`. */
  ensure(network: NetworkRecord): Promise<void>;
  /** What the start program of a container adds; its networks have been ensured. */
  attachment(container: ContainerNetworking): Attachment;
  /** The start program has run: UDP clients of published ports that were sending before are led to the container, too. */
  started(container: ContainerNetworking): Promise<void> | undefined;
  /**
   * After the container's end, or a start that failed, before its addresses are given to another: takes published ports out of the rules and forgets
   * their flows. The links have vanished with the namespace. Undefined where nothing is to be done.
   */
  release(container: ContainerNetworking): Promise<void> | undefined;
  /**
   * Reserves the machine's ports of a container that runs and has had none, until its `release` or this daemon's end; before
   * `connect`. Throws what `takenPort` and `portError` read.
   */
  reserve(container: ContainerNetworking): Promise<void>;
  /**
   * Connects a running container to one more network. `container` is how it is afterwards, `added` one of its endpoints;
   * the default route and published ports move where `gatewayOf` changes. `namespace` is a path: /proc/PID/ns/net.
   */
  connect(namespace: string, container: ContainerNetworking, added: Endpoint): Promise<void>;
  /** Takes `removed` away; `container` is how it is afterwards. */
  disconnect(namespace: string, container: ContainerNetworking, removed: Connection): Promise<void>;
  /** Others' ports that a running container is let to have changed. */
  reopen(before: ContainerNetworking, after: ContainerNetworking): Promise<void>;
  /** Removes the network's link and elements; nothing is attached any more. No error where nothing is there. */
  remove(network: NetworkRecord): Promise<void>;
  /**
   * Makes the kernel's state that of these networks and running containers: adds what is missing, removes what is nobody's.
   * What is right is not touched: connections go on.
   */
  recover(networks: readonly NetworkRecord[], running: readonly ContainerNetworking[]): Promise<void>;
  /** Ranges that routes and addresses of the machine use, apart from those of our own bridges. */
  usedRanges(): Promise<UsedRange[]>;
  /** One sentence with a remedy for every table of somebody else that drops what we forward. */
  warnings(): Promise<string[]>;
  /** Ends the session; with `remove`, bridges and rules are taken away: no container is attached. */
  close(options?: { readonly remove?: boolean }): Promise<void>;
}
