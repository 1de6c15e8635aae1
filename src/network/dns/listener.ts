import type { RemoteInfo } from "node:dgram";
import type { Socket } from "node:net";
import { Stream, withLength } from "./stream.ts";
import type { DnsSockets } from "./types.ts";

/** The answer to a message, at once or later; none for what gets no answer. */
export type Answerer = (message: Buffer, way: "udp" | "tcp") => Buffer | undefined | Promise<Buffer | undefined>;

const mostConnections = 64;
/** A connection without a word for this long is closed, in ms (RFC 7766 §6.2.3 says "a few seconds"). */
const idle = 20_000;
/** Questions of one connection that are answered at a time; meanwhile it is not read. */
const mostAtOnce = 32;
/** Questions are short; whoever announces more has something else in mind. */
const largestQuestion = 4096;

/** Reads questions from a container's sockets and writes the answers, until it is closed. */
export class Listener {
  readonly #sockets: DnsSockets;
  readonly #answer: Answerer;
  readonly #connections = new Set<Socket>();
  #open = true;

  constructor(sockets: DnsSockets, answer: Answerer) {
    this.#sockets = sockets;
    this.#answer = answer;
    const { udp, tcp } = sockets;
    udp.on("message", (message, from) => this.#receive(message, from));
    udp.on("error", () => {}); // an asker that has gone: ECONNREFUSED, EPERM
    tcp.on("error", () => {}); // out of descriptors: the next connection may have one
    tcp.maxConnections = mostConnections;
    tcp.on("connection", (connection) => this.#welcome(connection));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sockets.udp.close();
    this.#sockets.tcp.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #receive(message: Buffer, from: RemoteInfo): void {
    if (from.port === 0) return; // a forged datagram: there is nobody to answer
    const answer = this.#answer(message, "udp");
    if (answer instanceof Promise) void answer.then((later) => this.#send(later, from));
    else this.#send(answer, from);
  }

  #send(answer: Buffer | undefined, { port, address }: RemoteInfo): void {
    if (answer && this.#open) this.#sockets.udp.send(answer, port, address);
  }

  #welcome(connection: Socket): void {
    const stream = new Stream(largestQuestion);
    let asked = 0;
    this.#connections.add(connection);
    connection.unref();
    connection.setTimeout(idle, () => connection.destroy());
    connection.on("error", () => {});
    connection.on("close", () => this.#connections.delete(connection));
    connection.on("data", (chunk: Buffer) => {
      const messages = stream.add(chunk);
      if (!messages) return connection.destroy();
      asked += messages.length;
      if (asked >= mostAtOnce) connection.pause();
      for (const message of messages) {
        void Promise.resolve(this.#answer(message, "tcp")).then((answer) => {
          if (--asked < mostAtOnce) connection.resume();
          if (!connection.writable) return;
          if (answer) connection.write(withLength(answer));
          else connection.destroy();
        });
      }
    });
  }
}
