import type { EndpointSettingsRequest } from "./container.ts";
import type { EgressConfig } from "./egress.ts";

/** GET /networks, GET /networks/{id}. */
export interface NetworkResource {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: object | null;
    readonly Config: readonly IpamConfig[] | null;
  };
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  readonly Containers: Readonly<Record<string, NetworkContainer>>;
  readonly Options: Readonly<Record<string, string>>;
  readonly Labels: Readonly<Record<string, string>>;
  /** Not Docker's; absent where there is no policy. */
  readonly Egress?: EgressConfig;
}

export interface NetworkContainer {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

/** One address range of a network. */
export interface IpamConfig {
  Subnet?: string | undefined;
  IPRange?: string | undefined;
  Gateway?: string | undefined;
  AuxiliaryAddresses?: Readonly<Record<string, string>> | undefined;
}

/** POST /networks/create. */
export interface CreateNetworkRequest {
  readonly Name: string;
  readonly Driver?: string | undefined;
  readonly Scope?: string | undefined;
  readonly EnableIPv4?: boolean | undefined;
  readonly EnableIPv6?: boolean | undefined;
  readonly Internal?: boolean | undefined;
  readonly Attachable?: boolean | undefined;
  readonly Ingress?: boolean | undefined;
  readonly ConfigOnly?: boolean | undefined;
  readonly ConfigFrom?: { readonly Network: string } | undefined;
  readonly IPAM?:
    | {
        readonly Driver: string;
        readonly Options?: Readonly<Record<string, string>> | undefined;
        readonly Config?: readonly IpamConfig[] | undefined;
      }
    | undefined;
  readonly Options?: Readonly<Record<string, string>> | undefined;
  readonly Labels?: Readonly<Record<string, string>> | undefined;
  readonly Egress?: EgressConfig | undefined;
}

export interface CreateNetworkResponse {
  readonly Id: string;
  readonly Warning: string;
}

/** POST /networks/{id}/connect. */
export interface ConnectNetworkRequest {
  readonly Container: string;
  readonly EndpointConfig?: EndpointSettingsRequest | undefined;
}

/** POST /networks/prune. */
export interface PruneNetworksResponse {
  readonly NetworksDeleted: readonly string[] | null;
}
