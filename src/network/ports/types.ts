import type { Protocol } from "../types.ts";

/** What a user asks of one port of a container (Docker's PortBindings, ExposedPorts with -P), checked. */
export interface PortRequest {
  readonly protocol: Protocol;
  readonly containerPort: number;
  /** One address of the machine; every address, of both families, when absent. */
  readonly hostAddress?: string;
  /** One port, the first free one of a range, or one of 32768–60999 when absent. */
  readonly hostPort?: number | PortRange;
}

/** Both ends are part of it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What a container that publishes ports has for them. */
export interface PublishTarget {
  /** Used in nothing but errors. */
  readonly endpointName: string;
  /** Whether the endpoint has an address of the family: without one, nothing is published for it. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  /** `com.docker.network.bridge.host_binding_ipv4` or the daemon's `--ip`: where no host address is asked for. */
  readonly defaultHostAddress?: string;
}
