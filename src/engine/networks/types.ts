import type { Endpoint, NetworkRecord, PublishedPort } from "../../network/types.ts";
import type { EndpointSettings, EndpointSettingsRequest } from "../config.ts";

/** A container's connection to one network: what was asked for, and what it has while it runs. */
export interface EndpointView {
  readonly settings: EndpointSettings;
  /** The names that it is found by on that network; none on networks without name service. */
  readonly dnsNames: readonly string[];
  /** While the container runs. */
  readonly endpoint?: Endpoint | undefined;
}

/** What a container has of networks. */
export interface ContainerNetworkView {
  /** By name of the network; empty when the container uses another one's networks, or the machine's by a mode of its own. */
  readonly endpoints: Readonly<Record<string, EndpointView>>;
  /** Ports that the machine answers at, while the container runs. */
  readonly ports: readonly PublishedPort[];
  /** 64 hex digits while it runs and has a network namespace of its own; else "". */
  readonly sandboxId: string;
  /** A path that opens its network namespace; "" when it does not run. */
  readonly sandboxKey: string;
}

export interface NetworkMember {
  readonly containerId: string;
  readonly name: string;
  readonly endpoint: Endpoint;
}

/** A network as seen at one moment. */
export interface NetworkView extends NetworkRecord {
  /** Running containers that are joined to it. */
  readonly members: readonly NetworkMember[];
  /** No container, running or not, is joined to it. */
  readonly dangling: boolean;
}

/** One address range of POST /networks/create. */
export interface IpamConfigRequest {
  readonly Subnet?: string | undefined;
  readonly IPRange?: string | undefined;
  readonly Gateway?: string | undefined;
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | undefined;
}

/** What a network is asked to be, in Docker's words; what is absent is for the engine to choose. */
export interface NetworkCreateRequest {
  readonly name: string;
  /** "bridge" when absent. */
  readonly driver?: string | undefined;
  readonly internal?: boolean | undefined;
  readonly attachable?: boolean | undefined;
  readonly ingress?: boolean | undefined;
  readonly configOnly?: boolean | undefined;
  readonly configFrom?: string | undefined;
  readonly scope?: string | undefined;
  readonly ipv4?: boolean | undefined;
  readonly ipv6?: boolean | undefined;
  readonly ipam?:
    | {
        readonly driver?: string | undefined;
        readonly options?: Readonly<Record<string, string>> | undefined;
        readonly config?: readonly IpamConfigRequest[] | undefined;
      }
    | undefined;
  readonly options?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Networks by name, id, or a unique prefix of an id; "not-found" ("network x not found") when there is no such network. */
export interface Networks {
  list(): NetworkView[];
  get(reference: string): NetworkView;
  /** "conflict" when the name is taken. */
  create(request: NetworkCreateRequest): Promise<{ readonly id: string; readonly warning: string }>;
  /** "denied" for a predefined network and for one that running containers are joined to. */
  remove(reference: string): Promise<void>;
  /** Joins a container, at once when it runs. "denied" when it already is, or its network mode allows no more. */
  connect(reference: string, container: string, settings?: EndpointSettingsRequest): Promise<void>;
  /** With `force` a container that is gone is no error, either. */
  disconnect(reference: string, container: string, options?: { readonly force?: boolean | undefined }): Promise<void>;
}
