/** One entry of Docker's IPAM.Config, as it was asked for: text, nothing checked. */
export interface IpamConfig {
  /** Absent or unspecified ("0.0.0.0/24"): one of the default pools, of that size. */
  readonly subnet?: string;
  readonly ipRange?: string;
  readonly gateway?: string;
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/** Docker's IPAM of a network-create request. */
export interface IpamRequest {
  /** "default" when absent; "null" makes a network without addresses. */
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly config: readonly IpamConfig[];
}

/** What the machine uses already: a route's destination, the network of one of its addresses, a name server. */
export interface HostPrefix {
  /** CIDR: "192.168.1.0/24", "10.0.0.53/32". */
  readonly range: string;
  /** Reached by a gateway: avoided too, as long as there is something else. */
  readonly viaGateway?: boolean | undefined;
}

/** How full a subnet is (Docker's Status.IPAM, API ≥ 1.52). Numbers above 2^53 are rounded. */
export interface SubnetUse {
  readonly subnet: string;
  readonly inUse: number;
  readonly dynamicAvailable: number;
}
