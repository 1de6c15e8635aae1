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

/** The endpoint whose container's ports are published: of the networks that lead out, the one with the default route. */
export interface PublishTarget {
  /** Name of the container and id of the endpoint, for errors. */
  readonly endpointName: string;
  readonly endpointId: string;
  /** Whether the endpoint has an address of the family that the machine can forward to. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  /** The family is routed: the container's own address answers, the machine has no port for it. */
  readonly routed4?: boolean;
  readonly routed6?: boolean;
  /** `com.docker.network.bridge.host_binding_ipv4`, where no host address is asked for; every address when absent. */
  readonly defaultHostAddress?: string | undefined;
}
