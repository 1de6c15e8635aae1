import type { EgressPolicy } from "../egress/types.ts";
import type { HostPrefix, IpamRequest } from "../ipam/types.ts";
import type { NetworkingOptions } from "../options.ts";

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
  /** Name of the configuration network that it is made of. */
  readonly configFrom?: string;
  /** True when absent. */
  readonly ipv4?: boolean;
  /** False when absent. */
  readonly ipv6?: boolean;
  readonly ipam?: IpamRequest;
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly egress?: EgressPolicy;
}

/** What networks are made of on this machine. */
export interface NetworkDefaults {
  /** The root directory: ids of the predefined networks and the IPv6 pool come from it. */
  readonly root: string;
  /** Name of the default bridge's interface: "sampan0"; what `--bridge` says wins. */
  readonly bridgeInterface: string;
  readonly options: NetworkingOptions;
  /** What pools have to avoid; asked for each network whose subnet we choose. */
  readonly host: () => Promise<readonly HostPrefix[]>;
  /** With `--bridge NAME`: that bridge's addresses with their prefixes. */
  readonly bridgeAddresses?: readonly string[] | undefined;
}
