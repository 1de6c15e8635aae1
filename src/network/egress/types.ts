/**
 * What containers may reach outside of their networks: the addresses and names listed, and nothing else. As the API, the
 * records and users have it: each entry is HOST, *.DOMAIN, an address or a CIDR, all with or without ":PORT".
 */
export interface EgressPolicy {
  readonly allow: readonly string[];
}

/** Something that a container tried and its policy did not let through. */
export interface EgressAttempt {
  readonly containerId: string;
  /** The network by which it tried; for a name that was refused the first one with a policy. */
  readonly networkId: string;
  /** Unix milliseconds. */
  readonly time: number;
  /** An address; "" for a name that was refused. */
  readonly destination: string;
  /** Of protocols that have ports. */
  readonly port?: number | undefined;
  /** "tcp", "udp", "icmp", …, or "dns" for a name that was refused. */
  readonly protocol: string;
  /** The name that was refused, or by which the container knows the address. */
  readonly name?: string | undefined;
  /** The address it claimed to have, when it is not its own. */
  readonly source?: string | undefined;
}

/** One connection of a container to a bridge, with the policies that hold there: all of them have to allow a packet. */
export interface Guarded {
  readonly containerId: string;
  readonly networkId: string;
  /** Of the endpoint: its first digits name what it has in the rules. */
  readonly endpointId: string;
  readonly bridge: string;
  /** The machine's end of its pair of links, a port of the bridge. */
  readonly port: string;
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
  readonly linkLocal: readonly string[];
  /** Of its network: where its neighbours are. */
  readonly subnets: readonly string[];
  readonly policies: readonly EgressPolicy[];
}
