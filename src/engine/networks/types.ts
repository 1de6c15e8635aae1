import type { NetworkRequest } from "../../network/records/types.ts";
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

/** A network and the running containers that are joined to it, as seen at one moment. */
export interface NetworkView {
  readonly network: NetworkRecord;
  readonly members: readonly NetworkMember[];
}

/** Networks by name, id, or a unique prefix of an id; "not-found" ("network x not found") when there is no such network. */
export interface Networks {
  list(): readonly NetworkRecord[];
  get(reference: string): NetworkView;
  /** Addresses that `host-gateway` stands for; none without a default bridge. */
  hostGateway(): readonly string[];
  /** Whether a container, running or not, is joined to it. */
  isUsed(network: NetworkRecord): boolean;
  /** "conflict" when the name is taken. */
  create(request: NetworkRequest): Promise<{ readonly id: string; readonly warning: string }>;
  /** "denied" for a predefined network and for one that running containers are joined to. */
  remove(reference: string): Promise<void>;
  /** Removes those that `wanted` takes and nobody uses; the answer is their names. */
  prune(wanted: (network: NetworkRecord) => boolean): Promise<string[]>;
  /** Joins a container, at once when it runs. "denied" when it already is, or its network mode allows no more. */
  connect(reference: string, container: string, settings?: EndpointSettingsRequest): Promise<void>;
  /** With `force` a container that is gone is no error, either. */
  disconnect(reference: string, container: string, options?: { readonly force?: boolean | undefined }): Promise<void>;
}

export type { NetworkRequest } from "../../network/records/types.ts";
export type { NetworkRecord } from "../../network/types.ts";
