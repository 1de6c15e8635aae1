import type { EgressPolicy } from "./egress/types.ts";
import type { PortRequest } from "./ports/types.ts";
import type { NetworkRequest } from "./records/types.ts";
import type { Attachment, Endpoint, EndpointRequest, NetworkRecord, Opening, PublishedPort } from "./types.ts";

/** How a container is to be joined to one network. */
export interface Joining {
  readonly network: NetworkRecord;
  readonly request: EndpointRequest;
  /** What it is found by on that network, its name first; none on networks without name service. */
  readonly names: readonly string[];
  /** `--link`: names that only this container knows, and the name on the network that each stands for. */
  readonly links?: Readonly<Record<string, string>>;
}

/** What a container asks of networks, all of it. */
export interface SandboxRequest {
  readonly containerId: string;
  /** What errors call it. */
  readonly containerName: string;
  readonly joinings: readonly Joining[];
  readonly ports: readonly PortRequest[];
  /** Those that it is linked to and that are there now. */
  readonly openings: readonly Opening[];
  readonly dns: SandboxDns;
  /** Holds on all of its networks, beside what these say themselves. */
  readonly egress?: EgressPolicy | undefined;
  /** It is told of the machine as the default bridge's address, whatever networks it has: the bridge has to be there. */
  readonly knowsDefaultBridge?: boolean;
}

/** How its questions to 127.0.0.11 are treated. */
export interface SandboxDns {
  /** Servers for names that no container has; the machine's own when empty. */
  readonly servers: readonly string[];
  /** `ndots` above zero was asked for. */
  readonly ndotsSet: boolean;
}

/** A container's part in its networks, as it is written down while it runs. */
export interface SandboxState {
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PublishedPort[];
  /** The machine's ports are not kept by its monitor: it got them while it ran. */
  readonly reservedApart?: boolean | undefined;
}

/**
 * A running container's part in its networks. Life: opened (addresses and ports are its own, nothing is in the kernel) →
 * the start program carries out `attachment` → `started` → `release`. Also released when the program has failed.
 */
export interface Sandbox extends SandboxState {
  /** Whether 127.0.0.11 answers it. */
  readonly named: boolean;
  /** What the start program is to add; undefined when there is nothing to do in the kernel. */
  readonly attachment: Attachment | undefined;
  /**
   * The start program has failed. True: it may be tried again with the `attachment` of now, for a port that nobody chose
   * was some other process's, and there is another one instead, or an address has just been given up by who had it before.
   */
  retry(error: unknown): boolean | Promise<boolean>;
  /** What to say of a start that has failed; the error itself when it has nothing to do with networks. */
  explain(error: unknown): unknown;
  /** The start program has run: names are served from now on. */
  started(): void;
  /** Joins one network more while it runs; the answer is its endpoint there. */
  join(pid: number, joining: Joining): Promise<Endpoint>;
  /** Leaves a network while it runs; the answer is the endpoint that it had. */
  leave(pid: number, networkId: string): Promise<Endpoint>;
  /** Those that it is linked to have come, gone or got other addresses. */
  reopen(openings: readonly Opening[]): Promise<void>;
  /** The container has another name: what it is found by on each of its networks. */
  rename(names: (endpoint: Endpoint) => readonly string[]): void;
  /** Gives everything back. Undefined when nothing is left to be waited for. */
  release(): Promise<void> | undefined;
}

/** A container that runs already when the daemon starts. */
export interface RunningSandbox extends SandboxState {
  readonly request: SandboxRequest;
  readonly pid: number;
}

/** All networks of a daemon: their records, who is joined to them, and what the machine does for them. */
export interface Networking {
  /** What containers join that name no network. */
  readonly defaultNetwork: "bridge" | "none";
  list(): readonly NetworkRecord[];
  /** By name, id or a unique prefix of an id. */
  find(reference: string): NetworkRecord | undefined;
  /** As `find`; throws "not-found" with dockerd's text. */
  get(reference: string): NetworkRecord;
  /** Throws with dockerd's texts. */
  create(request: NetworkRequest): Promise<{ readonly network: NetworkRecord; readonly warning: string }>;
  /** "denied" as long as a container is joined to it. */
  remove(network: NetworkRecord): Promise<void>;
  /** Keeps the addresses that a container asks for by themselves, as long as it is there and joined; it need not run. */
  hold(network: NetworkRecord, addresses: Pick<EndpointRequest, "ipv4" | "ipv6">): void;
  unhold(network: NetworkRecord, addresses: Pick<EndpointRequest, "ipv4" | "ipv6">): void;
  /** Chooses addresses and ports for a container that starts; a promise only when something has to be made first. */
  open(request: SandboxRequest): Sandbox | Promise<Sandbox>;
  /** Makes the kernel's state, pools, ports and names those of the containers that run; answers in their order. */
  recover(running: readonly RunningSandbox[]): Promise<Sandbox[]>;
  /** Whole sentences for `info`. */
  warnings(): readonly string[];
  /** Leaves. Where no container is joined, nothing of ours stays in the kernel. */
  close(): Promise<void>;
}
