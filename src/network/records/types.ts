import type { AddressPool, HostPrefix, IpamRequest } from "../ipam/types.ts";

/** Docker's network-create request, every field as it came; `NetworkRecords.create` checks it. */
export interface NetworkRequest {
  readonly name: string;
  /** "bridge" when absent. */
  readonly driver?: string;
  /** "local" or absent. */
  readonly scope?: string;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly ingress?: boolean;
  readonly configOnly?: boolean;
  /** Name of a configuration network; Sampan has none. */
  readonly configFrom?: string;
  /** True when absent. */
  readonly ipv4?: boolean;
  /** False when absent. */
  readonly ipv6?: boolean;
  readonly ipam?: IpamRequest;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The daemon's options for the network "bridge", with dockerd's names. */
export interface DefaultBridgeOptions {
  /** False: `--bridge none`, there is no network "bridge". */
  readonly enabled: boolean;
  /** `--bip`: the bridge's address with its prefix. */
  readonly bip?: string;
  readonly bip6?: string;
  readonly fixedCidr?: string;
  readonly fixedCidr6?: string;
  readonly defaultGateway?: string;
  readonly defaultGateway6?: string;
  readonly ipv6?: boolean;
  /** False: containers on it do not reach each other but by links. */
  readonly icc?: boolean;
  readonly masquerade?: boolean;
  readonly mtu?: number;
  /** `--ip`: the host address of ports that are published without one. */
  readonly hostAddress?: string;
}

/** What networks are made of on this machine. */
export interface NetworkDefaults {
  /** The root directory: ids of the predefined networks and the IPv6 pool come from it. */
  readonly root: string;
  /** `layout.suffix`. */
  readonly suffix: string;
  /** Name of the default bridge's interface. */
  readonly bridgeInterface: string;
  readonly bridge: DefaultBridgeOptions;
  /** `--default-address-pool`; ours when empty. */
  readonly pools: readonly AddressPool[];
  /** What pools have to avoid; asked again for each network. */
  readonly host: () => readonly HostPrefix[];
  /** `--default-network-opt` by driver. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
