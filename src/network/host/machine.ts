import { SampanError } from "../../errors/index.ts";
import type { Errno } from "../../kernel/errno.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import type { Request } from "../../kernel/netlink/message.ts";
import { transaction } from "../../kernel/netlink/nftables/request.ts";
import { NetlinkError, query } from "../../kernel/netlink/query.ts";
import { ask, openNetlink } from "../../kernel/netlink/request.ts";
import {
  type Address,
  batch,
  decodeAddresses,
  decodeLinks,
  decodeRoutes,
  dumpAddresses,
  dumpLinks,
  dumpRoutes,
  getLink,
  type InstalledRoute,
  type Link,
} from "../../kernel/netlink/route/index.ts";
import { Program } from "../../kernel/program.ts";

/** A worker with two sockets of the machine's network namespace. */
interface Sockets {
  readonly session: Session;
  readonly route: number;
  readonly netfilter: number;
}

type Protocol = "route" | "netfilter";

/**
 * Asks the kernel about the machine's network, and changes it: one worker of the executor, kept, that is asked one thing
 * after the other. A worker that was lost, or ended by a refusal, is replaced at the next question.
 */
export class Machine {
  readonly #executor: Executor;
  #sockets: Promise<Sockets> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  links(): Promise<Link[]> {
    return this.#query("route", dumpLinks(), "list the machine's links").then(decodeLinks);
  }

  addresses(): Promise<Address[]> {
    return this.#query("route", dumpAddresses(), "list the machine's addresses").then(decodeAddresses);
  }

  routes(): Promise<InstalledRoute[]> {
    return this.#query("route", dumpRoutes(), "list the machine's routes").then(decodeRoutes);
  }

  async link(name: string): Promise<Link | undefined> {
    try {
      return decodeLinks(await this.#query("route", getLink(name), `look for the link ${name}`))[0];
    } catch (error) {
      if (error instanceof NetlinkError && error.errno === "ENODEV") return undefined;
      throw error;
    }
  }

  /** Asks an nf_tables or conntrack question. */
  netfilter(request: Request, purpose: string): Promise<Uint8Array> {
    return this.#query("netfilter", request, purpose);
  }

  /** Changes links, addresses and routes, in order. `purpose` is an infinitive. */
  change(requests: readonly Request[], purpose: string, tolerate: readonly Errno[] = []): Promise<void> {
    return this.#send("route", batch(requests), purpose, tolerate);
  }

  /** Changes firewall rules: all of it or nothing. */
  transact(requests: readonly Request[], purpose: string, tolerate: readonly Errno[] = []): Promise<void> {
    return this.#send("netfilter", transaction(requests), purpose, tolerate);
  }

  /** Sends what is no transaction to the netfilter socket: conntrack's requests. */
  tell(requests: readonly Request[], purpose: string, tolerate: readonly Errno[] = []): Promise<void> {
    return this.#send("netfilter", batch(requests), purpose, tolerate);
  }

  async close(): Promise<void> {
    await this.#turn;
    const sockets = await this.#sockets?.catch(() => undefined);
    this.#sockets = undefined;
    sockets?.session.close();
  }

  #query(protocol: Protocol, request: Request, purpose: string): Promise<Uint8Array> {
    return this.#next((sockets) => query(sockets.session, sockets[protocol], request, purpose));
  }

  #send(protocol: Protocol, bytes: Uint8Array, purpose: string, tolerate: readonly Errno[]): Promise<void> {
    return this.#next(async (sockets) => {
      const p = new Program(purpose);
      p.in("network", () => ask(p, sockets[protocol], bytes, { note: purpose, tolerate }));
      await sockets.session.run(p);
    });
  }

  /** One after the other: the sockets' answers would mix. */
  #next<T>(body: (sockets: Sockets) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      this.#sockets ??= this.#open();
      const opened = this.#sockets;
      try {
        return await body(await opened);
      } catch (error) {
        if (!(error instanceof NetlinkError)) this.#forget(opened);
        throw error;
      }
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #forget(opened: Promise<Sockets>): void {
    if (this.#sockets === opened) this.#sockets = undefined;
    opened.then(
      ({ session }) => session.close(),
      () => {},
    );
  }

  async #open(): Promise<Sockets> {
    const session = await this.#executor.open();
    const p = new Program("look at the machine's network");
    const [route, netfilter] = p.in("network", () => [
      openNetlink(p, "NETLINK_ROUTE", "make a socket to ask about links and addresses"),
      openNetlink(p, "NETLINK_NETFILTER", "make a socket to ask about firewall rules"),
    ]);
    if (!route || !netfilter) throw new SampanError("internal", "Cannot look at the machine's network: no sockets");
    const results = await session.run(p);
    return { session, route: results.value(route), netfilter: results.value(netfilter) };
  }
}
