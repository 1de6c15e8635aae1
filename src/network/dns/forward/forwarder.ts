import { type Query, rcode } from "../query.ts";
import { type Ask, askTcp, askUdp, type Exchange } from "./exchange.ts";

export interface ForwarderOptions {
  /** The servers' port. */
  readonly port?: number;
  /** How long a server is waited for before the next one is asked as well, in ms. */
  readonly next?: number;
  /** How long all are waited for, in ms: less than the five seconds of the C library, which then would ask again. */
  readonly limit?: number;
}

/** For how long a server that did not answer in time comes after the others, in ms. */
const distrust = 30_000;

/** Asks the world's name servers what containers do not know. */
export class Forwarder {
  readonly #options: Required<ForwarderOptions>;
  /** Servers that did not answer, and until when they come last. */
  readonly #silent = new Map<string, number>();

  constructor(options: ForwarderOptions = {}) {
    this.#options = { port: 53, next: 1500, limit: 4500, ...options };
  }

  /**
   * The first usable answer of these servers, asked in order, by the way that the question came; a server that fails or refuses
   * is followed by the next. Undefined when none is usable.
   */
  ask(query: Query, servers: readonly string[], way: "udp" | "tcp"): Promise<Buffer | undefined> {
    const { port, next, limit } = this.#options;
    const order = this.#inOrder(servers);
    // A datagram may get lost: a single server is asked twice.
    const attempts = way === "udp" && order.length === 1 ? [...order, ...order] : order;
    const ask: Ask = way === "udp" ? askUdp : askTcp;
    return race(attempts, {
      begin: (server) => ask(server, port, query),
      next,
      limit,
      silent: (server) => this.#silent.set(server, performance.now() + distrust),
      answered: (server) => this.#silent.delete(server),
    });
  }

  #inOrder(servers: readonly string[]): readonly string[] {
    if (this.#silent.size === 0) return servers;
    const now = performance.now();
    const isSilent = (server: string) => (this.#silent.get(server) ?? 0) > now;
    return [...servers.filter((server) => !isSilent(server)), ...servers.filter(isSilent)];
  }
}

interface Race {
  begin(server: string): Exchange;
  readonly next: number;
  readonly limit: number;
  silent(server: string): void;
  answered(server: string): void;
}

/** Asks one server after the other, each a while after the one before or when that has failed; the first good answer ends it. */
function race(
  attempts: readonly string[],
  { begin, next, limit, silent, answered }: Race,
): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const running = new Set<Exchange>();
  const waiting = attempts.values();
  let timer: NodeJS.Timeout | undefined;
  const end = (reply?: Buffer) => {
    clearTimeout(timer);
    clearTimeout(deadline);
    for (const exchange of running) exchange.cancel();
    running.clear();
    resolve(reply);
  };
  const tryNext = () => {
    clearTimeout(timer);
    const { value: server, done } = waiting.next();
    if (done) {
      if (running.size === 0) end();
      return;
    }
    const exchange = begin(server);
    running.add(exchange);
    void exchange.reply.then((reply) => {
      if (!running.delete(exchange)) return;
      if (reply) answered(server);
      if (reply && isUsable(reply)) end(reply);
      else tryNext();
    });
    timer = setTimeout(() => {
      silent(server);
      tryNext();
    }, next);
  };
  const deadline = setTimeout(end, limit);
  tryNext();
  return promise;
}

/** A server that fails or refuses may only be the wrong one to ask, as dockerd sees it. */
function isUsable(reply: Buffer): boolean {
  const code = reply.readUInt8(3) & 0xf;
  return code !== rcode.failure && code !== rcode.refused;
}
