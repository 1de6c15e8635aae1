import type { Socket as DatagramSocket, RemoteInfo } from "node:dgram";
import type { Server, Socket } from "node:net";
import { Stream, withLength } from "./stream.ts";
import type { Answerer, DnsSockets } from "./types.ts";

const mostConnections = 64;
/** A connection without a word for this long is closed, in ms (RFC 7766 §6.2.3 says "a few seconds"). */
const idle = 20_000;
/** Questions of one connection that are answered at a time; meanwhile it is not read. */
const mostAtOnce = 32;
/** Questions are short; whoever announces more has something else in mind. */
const largestQuestion = 4096;
/** Questions that are kept until somebody answers. */
const mostEarly = 256;

/**
 * A container's sockets, which read questions and write the answers. What comes before there is an answerer waits for it: a
 * container may ask as soon as it runs, before the daemon has been told that it does.
 */
export class Listener implements DnsSockets {
  #udp: DatagramSocket | undefined;
  #tcp: Server | undefined;
  #answer: Answerer | undefined;
  #early: (() => void)[] = [];
  readonly #connections = new Set<Socket>();
  #open = true;

  /** Takes the socket over; must be called before it can have received anything. */
  listenUdp(udp: DatagramSocket): void {
    this.#udp = udp;
    udp.on("message", (message, from) => this.#soon(() => this.#receive(message, from)));
    udp.on("error", () => {}); // an asker that has gone: ECONNREFUSED, EPERM
    if (!this.#open) udp.close();
  }

  listenTcp(tcp: Server): void {
    this.#tcp = tcp;
    tcp.maxConnections = mostConnections;
    tcp.on("connection", (connection) => this.#welcome(connection));
    tcp.on("error", () => {}); // out of descriptors: the next connection may have one
    if (!this.#open) tcp.close();
  }

  answerWith(answer: Answerer): void {
    this.#answer = answer;
    for (const question of this.#early.splice(0)) question();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#early = [];
    this.#udp?.close();
    this.#tcp?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #soon(question: () => void): void {
    if (this.#answer) question();
    else if (this.#early.length < mostEarly) this.#early.push(question);
  }

  #receive(message: Buffer, from: RemoteInfo): void {
    if (from.port === 0) return; // a forged datagram: there is nobody to answer
    const answer = this.#answer?.(message, "udp");
    if (answer instanceof Promise) void answer.then((later) => this.#send(later, from));
    else this.#send(answer, from);
  }

  #send(answer: Buffer | undefined, { port, address }: RemoteInfo): void {
    if (answer && this.#open) this.#udp?.send(answer, port, address);
  }

  #welcome(connection: Socket): void {
    const stream = new Stream(largestQuestion);
    let asked = 0;
    this.#connections.add(connection);
    connection.unref();
    connection.setTimeout(idle, () => connection.destroy());
    connection.on("error", () => {});
    connection.on("close", () => this.#connections.delete(connection));
    const reply = (answer: Buffer | undefined) => {
      if (--asked < mostAtOnce) connection.resume();
      if (!connection.writable) return;
      if (answer) connection.write(withLength(answer));
      else connection.destroy();
    };
    connection.on("data", (chunk: Buffer) => {
      const messages = stream.add(chunk);
      if (!messages) return connection.destroy();
      asked += messages.length;
      if (asked >= mostAtOnce) connection.pause();
      for (const message of messages)
        this.#soon(() => void Promise.resolve(this.#answer?.(message, "tcp")).then(reply));
    });
  }
}
