/** HostConfig.Egress, and a network's Egress: what may be reached, and nothing else. */
export interface EgressConfig {
  /** HOST, *.DOMAIN, address or CIDR, each with or without ":PORT". */
  readonly Allow: readonly string[];
}

/** One line of GET /containers/{id}/egress: something that was refused. */
export interface EgressEntry {
  /** RFC 3339. */
  readonly Time: string;
  /** An address; "" for a name that was refused. */
  readonly Destination: string;
  /** 0 for protocols without ports, and for names. */
  readonly Port: number;
  /** "tcp", "udp", "icmp", …, "dns" for a name that was refused. */
  readonly Protocol: string;
  /** The name that was refused, or by which the container knows the address; "" where there is none. */
  readonly Name: string;
  /** The network that it was tried by. */
  readonly Network: string;
  /** An address that is not the container's own, which it claimed to have; "" otherwise. */
  readonly Source: string;
}
