import { addressesIn } from "./forward/addresses.ts";
import { capTtl } from "./forward/cap-ttl.ts";
import { Forwarder, type ForwarderOptions } from "./forward/forwarder.ts";
import { Names } from "./names.ts";
import { parseQuery, type Query, rcode, type } from "./query.ts";
import { encodeRefusal, encodeReply } from "./reply.ts";
import { ResolverFile } from "./resolv-conf.ts";
import { Turns } from "./turns.ts";
import type { ContainerDns, DnsHooks, DnsServer, DnsSockets, NamedEndpoint } from "./types.ts";

export interface DnsServerOptions {
  readonly hooks?: DnsHooks;
  /** Whose servers are asked where a container names none; the machine's by default. */
  readonly resolverFile?: string;
  readonly forwarding?: ForwarderOptions;
}

/** Questions of one container that are forwarded at a time, each with a socket, and how many more wait for their turn. */
const mostForwarded = 128;
const mostWaiting = 1024;

interface Served {
  readonly sockets: DnsSockets;
  readonly turns: Turns;
  dns: ContainerDns;
}

class ContainersResolver implements DnsServer {
  readonly #names = new Names();
  readonly #served = new Map<string, Served>();
  readonly #hooks: DnsHooks;
  readonly #machine: ResolverFile;
  readonly #forwarder: Forwarder;

  constructor({ hooks = {}, resolverFile, forwarding }: DnsServerOptions) {
    this.#hooks = hooks;
    this.#machine = new ResolverFile(resolverFile);
    this.#forwarder = new Forwarder(forwarding);
  }

  setEndpoint(endpoint: NamedEndpoint): void {
    this.#names.set(endpoint);
  }

  removeEndpoint(networkId: string, containerId: string): void {
    this.#names.remove(networkId, containerId);
  }

  serve(containerId: string, sockets: DnsSockets, dns: ContainerDns): void {
    this.#served.get(containerId)?.sockets.close();
    this.#served.set(containerId, { sockets, turns: new Turns(mostForwarded, mostWaiting), dns });
    sockets.answerWith((message, way) => this.#answer(containerId, message, way));
  }

  configure(containerId: string, dns: ContainerDns): void {
    const served = this.#served.get(containerId);
    if (served) served.dns = dns;
  }

  isServed(containerId: string): boolean {
    return this.#served.has(containerId);
  }

  release(containerId: string): void {
    this.#served.get(containerId)?.sockets.close();
    this.#served.delete(containerId);
    this.#names.removeContainer(containerId);
  }

  close(): void {
    for (const { sockets } of this.#served.values()) sockets.close();
    this.#served.clear();
  }

  #answer(containerId: string, message: Buffer, way: "udp" | "tcp"): Buffer | undefined | Promise<Buffer | undefined> {
    const served = this.#served.get(containerId);
    const query = parseQuery(message);
    if (!served || !query) return undefined;
    if ("rcode" in query) return encodeRefusal(query, query.rcode);
    const { networks } = served.dns;
    const records = query.internet ? this.#names.lookUp(containerId, networks, query.name, query.type) : undefined;
    if (records) return encodeReply(query, records, way);
    return this.#askElsewhere(containerId, served, query, way);
  }

  #askElsewhere(
    containerId: string,
    { dns, turns }: Served,
    query: Query,
    way: "udp" | "tcp",
  ): Buffer | Promise<Buffer | undefined> {
    if (!dns.forward) return encodeRefusal(query, rcode.failure);
    if (dns.ndotsSet && isOneWord(query)) return encodeReply(query, [], way);
    if (this.#hooks.mayResolve?.(containerId, query.name) === false) return encodeRefusal(query, rcode.noName);
    const servers = dns.servers.length > 0 ? dns.servers : this.#machine.servers;
    return turns.take(async () => {
      const reply = await this.#forwarder.ask(query, servers, way);
      if (!reply || !(await this.#isTold(containerId, query, reply))) return encodeRefusal(query, rcode.failure);
      const longest = this.#hooks.longestTtl?.(containerId);
      return longest === undefined ? reply : capTtl(reply, query, longest);
    });
  }

  /** Whether all who want to know what the container is told have taken it. */
  async #isTold(containerId: string, query: Query, reply: Buffer): Promise<boolean> {
    if (!this.#hooks.onAnswer) return true;
    try {
      await this.#hooks.onAnswer(containerId, { name: query.name, type: query.type }, addressesIn(reply, query));
      return true;
    } catch {
      return false; // a malformed answer, or an address that could not be let through: the asker gets neither
    }
  }
}

/** Without a dot, as containers are called: dockerd asks nobody else for these where search domains are in use. */
function isOneWord({ name, type: wanted }: Query): boolean {
  return (wanted === type.A || wanted === type.AAAA) && !name.includes(".");
}

/** A resolver that serves nobody yet. */
export function createDnsServer(options: DnsServerOptions = {}): DnsServer {
  return new ContainersResolver(options);
}
