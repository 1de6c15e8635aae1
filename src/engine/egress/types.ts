/** HostConfig.Egress, and that of a network: what may be reached, and nothing else. See network/egress/types.ts. */
export interface EgressConfig {
  readonly Allow: readonly string[];
}

/** Something that a container tried and an egress policy refused. */
export interface EgressRecord {
  /** Unix milliseconds. */
  readonly time: number;
  /** An address; "" for a name that was refused. */
  readonly destination: string;
  readonly port?: number | undefined;
  /** "tcp", "udp", "icmp", …, "dns". */
  readonly protocol: string;
  /** The name that was refused, or by which the container knows the address. */
  readonly name?: string | undefined;
  /** The name of the network that it tried by. */
  readonly network: string;
  /** The address that it claimed to have, when that is not its own. */
  readonly source?: string | undefined;
}
