/** A range of addresses from which subnets of networks that name none are cut. */
export interface AddressPool {
  /** CIDR: "10.10.0.0/16", "fd00:5::/48". */
  readonly base: string;
  /** Prefix length of each network cut from it. */
  readonly size: number;
}

/** What the daemon's command line says about networking, checked for its form. Absent: the engine's own choice. */
export interface NetworkingOptions {
  /** "none": there is no default network `bridge`. Another name: that bridge of the machine is used and left alone. */
  readonly bridge?: string | undefined;
  /** The default bridge's own address and its network: "172.20.0.1/16". */
  readonly bip?: string | undefined;
  readonly bip6?: string | undefined;
  /** CIDR from which the default bridge's containers take their addresses. */
  readonly fixedCidr?: string | undefined;
  /** CIDR of the default bridge's IPv6 network. */
  readonly fixedCidrV6?: string | undefined;
  /** Whether the default bridge has IPv6. */
  readonly ipv6: boolean;
  /** In place of the engine's own pools when there are any; a family without one keeps ours. */
  readonly defaultAddressPools: readonly AddressPool[];
  /** Host address of published ports that name none, on the default bridge: "127.0.0.1". All of both families when absent. */
  readonly ip?: string | undefined;
  /** Of the default bridge's links, bytes. */
  readonly mtu?: number | undefined;
  /** Whether containers on the default bridge reach each other. */
  readonly icc: boolean;
  /** Whether the engine may switch the machine's forwarding on. */
  readonly ipForward: boolean;
  /**
   * "direct": published ports are reachable whatever the machine's own input chains say, as Docker's. "input": only where
   * these accept the port of the machine.
   */
  readonly publishPolicy: "direct" | "input";
  /** Whether what leaves the default bridge gets the machine's address. */
  readonly ipMasquerade: boolean;
  /** What `host-gateway` stands for, at most one address of each family; the default bridge's own when empty. */
  readonly hostGatewayIps: readonly string[];
  /** For containers that name none themselves; the machine's when empty. */
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  /** Options that user-defined networks of a driver have unless they say otherwise: driver → option → value. */
  readonly defaultNetworkOptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A command line that says nothing about networking. */
export const defaultNetworking: NetworkingOptions = {
  ipv6: false,
  defaultAddressPools: [],
  icc: true,
  ipForward: true,
  publishPolicy: "direct",
  ipMasquerade: true,
  hostGatewayIps: [],
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  defaultNetworkOptions: {},
};
