import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { SampanError } from "../../../errors/index.ts";
import { named } from "../../../kernel/block.ts";
import type { Executor, Session } from "../../../kernel/executor.ts";
import * as f from "../../../kernel/flags.ts";
import { KernelError } from "../../../kernel/kernel-error.ts";
import { Program } from "../../../kernel/program.ts";
import { unixAddress } from "../../../runtime/supervision.ts";

/** Where lines go, one datagram each. */
export interface Datagrams {
  /** Sends all, in order. Throws when nobody takes them; how many of them have been taken is `sent`. */
  send(messages: readonly Buffer[], sent: (count: number) => void): Promise<void>;
  close(): void;
}

/** Datagrams that one program sends. */
const atOnce = 64;
/** Seconds that who listens may leave its queue full: after that it counts as one that takes nothing. */
const patience = 1;

/** To a Unix socket of datagrams (unix(7)), which Node has not: a worker of the executor's sends them. */
export class UnixDatagrams implements Datagrams {
  readonly #executor: Executor;
  readonly #path: string;
  #session: Session | undefined;
  #socket = -1;

  constructor(executor: Executor, path: string) {
    this.#executor = executor;
    this.#path = path;
  }

  async send(messages: readonly Buffer[], sent: (count: number) => void): Promise<void> {
    for (let at = 0; at < messages.length; at += atOnce) {
      const some = messages.slice(at, at + atOnce);
      const session = await this.#open();
      const p = this.#program(some);
      try {
        await session.run(p);
      } catch (error) {
        this.close();
        const failed = error instanceof KernelError ? error.step : undefined;
        if (failed !== undefined) sent(p.order.indexOf(failed));
        throw error;
      }
      sent(some.length);
    }
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  async #open(): Promise<Session> {
    if (this.#session !== undefined && !this.#session.ended) return this.#session;
    const session = await this.#executor.open();
    const p = new Program(`send log lines to ${this.#path}`);
    const type = named(f.SOCK_DGRAM | f.SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC");
    const socket = p.sys("socket", [named(f.AF_UNIX, "AF_UNIX"), type, 0], { note: "make a socket to send by" });
    const [level, option] = [named(f.SOL_SOCKET, "SOL_SOCKET"), named(f.SO_SNDTIMEO, "SO_SNDTIMEO")];
    p.call("setsockopt", [socket, level, option, p.words([patience, 0]), 16], {
      note: "wait no longer for a full queue",
    });
    try {
      this.#socket = (await session.run(p)).value(socket);
    } catch (error) {
      session.close();
      throw error;
    }
    session.unref();
    this.#session = session;
    return session;
  }

  #program(messages: readonly Buffer[]): Program {
    const p = new Program(`send log lines to ${this.#path}`);
    const { address, size } = unixAddress(p, this.#path);
    for (const message of messages) {
      const data = p.bytes(message, "a line");
      const flags = named(f.MSG_NOSIGNAL, "MSG_NOSIGNAL");
      p.call("sendto", [this.#socket, data, message.length, flags, address, size], { note: "send a line" });
    }
    return p;
  }
}

/** To a UDP port: nobody says whether they arrive. */
export class UdpDatagrams implements Datagrams {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async send(messages: readonly Buffer[], sent: (count: number) => void): Promise<void> {
    this.#socket ??= await this.#open();
    const socket = this.#socket;
    for (const message of messages) {
      await new Promise<void>((resolve, reject) =>
        socket.send(message, this.#port, this.#host, (error) => (error ? reject(failed(error)) : resolve())),
      );
      sent(1);
    }
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #open(): Promise<Socket> {
    const socket = createSocket(this.#host.includes(":") ? "udp6" : "udp4").unref();
    socket.on("error", () => {}); // told by the next send
    socket.bind();
    await once(socket, "listening");
    return socket;
  }
}

function failed(cause: Error): SampanError {
  return new SampanError("unavailable", `Cannot send log lines: ${cause.message}`, { cause });
}
