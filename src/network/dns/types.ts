/** Where a container's resolver looks: the address that configurations out there rely on. */
export const dnsAddress = "127.0.0.11";

/** The answer to a message, at once or later; none for what gets no answer. */
export type Answerer = (message: Buffer, way: "udp" | "tcp") => Buffer | undefined | Promise<Buffer | undefined>;

/**
 * Both sockets at 127.0.0.11:53 in one container's network namespace, which they keep alive. What comes in waits until they are
 * served.
 */
export interface DnsSockets {
  /** Answers come from there, now and from now on. */
  answerWith(answerer: Answerer): void;
  /** For those that are not to be served any more, or never. */
  close(): void;
}

/** By what names one container is found on one network. */
export interface NamedEndpoint {
  readonly networkId: string;
  /** A name may be asked with it: "web.backend". */
  readonly networkName: string;
  readonly containerId: string;
  /**
   * As Docker has them: the container's name first (an address is resolved to it), then aliases, short id, hostname. Containers
   * may share a name: each answer has the addresses of all, another one first each time.
   */
  readonly names: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** `--link`: names that only this container knows, and the name on this network that each stands for. */
  readonly links?: Readonly<Record<string, string>>;
}

/** How one container's questions are treated; its networks are those that it has a `NamedEndpoint` on. */
export interface ContainerDns {
  /** Ids of its networks, the one that is asked first before; those without names are left out. */
  readonly networks: readonly string[];
  /** Whether names that no container has are asked for elsewhere: not when all its networks are internal. */
  readonly forward: boolean;
  /** `--dns`; the machine's own when empty. */
  readonly servers: readonly string[];
  /** `--dns-option ndots:N` with N > 0 was asked for: then names without a dot are ours or nobody's, as dockerd has it. */
  readonly ndotsSet: boolean;
}

export interface DnsQuestion {
  /** In lower case, without the dot at its end; "" is the root. */
  readonly name: string;
  /** A is 1, AAAA is 28, … RFC 1035 §3.2.2. */
  readonly type: number;
}

/** An address that a container has been told. */
export interface DnsAnswer {
  /** What the question's name has led to: itself, or the end of a chain of CNAMEs. */
  readonly name: string;
  readonly address: string;
  /** How long the container may use it, in seconds: the least of the chain. */
  readonly ttl: number;
}

/** Who may ask what, and who wants to know: for policies of what a container may reach. */
export interface DnsHooks {
  /** False is answered as if the name did not exist. Not asked for containers' names. */
  mayResolve?(containerId: string, name: string): boolean;
  /** The most that its answers from elsewhere may say about how long they may be used, in seconds; undefined: as they are. */
  longestTtl?(containerId: string): number | undefined;
  /**
   * Called before the container gets an answer that came from elsewhere; it gets it once this has resolved, and SERVFAIL when it is
   * rejected. `answers` is empty for other types than addresses.
   */
  onAnswer?(containerId: string, question: DnsQuestion, answers: readonly DnsAnswer[]): void | Promise<void>;
}

/** The resolver of all containers. */
export interface DnsServer {
  /** Makes an endpoint known under its names, in place of what was known of it. */
  setEndpoint(endpoint: NamedEndpoint): void;
  removeEndpoint(networkId: string, containerId: string): void;
  /** Answers what comes in at the sockets, until `release`; they are its own from now on. Sockets it had before are closed. */
  serve(containerId: string, sockets: DnsSockets, dns: ContainerDns): void;
  /** Other networks or servers from now on; nothing when the container is not served. */
  configure(containerId: string, dns: ContainerDns): void;
  isServed(containerId: string): boolean;
  /** Closes the container's sockets and forgets its endpoints. */
  release(containerId: string): void;
  close(): void;
}
