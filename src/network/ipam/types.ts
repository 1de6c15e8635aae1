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

/** Addresses that subnets are carved out of: `--default-address-pool base=172.18.0.0/16,size=24`. */
export interface AddressPool {
  /** CIDR. */
  readonly base: string;
  /** Bits of each subnet. */
  readonly size: number;
}

/** What the machine uses already: a route's destination, one of its addresses, a name server. */
export interface HostPrefix {
  /** CIDR: "192.168.1.0/24", "10.0.0.53/32". */
  readonly prefix: string;
  /** Reached without a gateway. What is behind a gateway is avoided too, as long as there is something else. */
  readonly onLink: boolean;
}

/** How full a subnet is (Docker's Status.IPAM, API ≥ 1.52). Numbers above 2^53 are rounded. */
export interface SubnetUse {
  readonly subnet: string;
  readonly inUse: number;
  readonly dynamicAvailable: number;
}
