import type { Executor } from "../kernel/executor.ts";
import type { DnsServer } from "./dns/types.ts";
import type { EgressControl } from "./egress/control.ts";
import type { Endpoints } from "./endpoints/endpoints.ts";
import type { NetworkHost } from "./host/types.ts";
import type { Publishing } from "./publishing.ts";
import type { NetworkRecord } from "./types.ts";

/** The part of a pino logger that networks need. */
export interface NetworkLog {
  error(object: object, message: string): void;
  warn(object: object, message: string): void;
}

/** What a container's part in its networks is composed of. */
export interface NetworkParts {
  readonly executor: Executor;
  readonly log: NetworkLog;
  readonly endpoints: Endpoints;
  readonly ports: Publishing;
  readonly host: NetworkHost;
  readonly dns: DnsServer;
  readonly egress: EgressControl;
  /** Sees that a network is in the kernel. */
  ensure(network: NetworkRecord): Promise<void>;
}
