import { connect, type Socket } from "node:net";
import { SampanError } from "../../errors/index.ts";
import type { BodyDecoder } from "./body.ts";
import { bodyDecoder } from "./body.ts";
import { maxHead, parseHead } from "./head.ts";
import { Response } from "./response.ts";

/** What a request on a connection leads to. */
export interface Exchange {
  readonly method: string;
  /** The head has come; the body follows in the response. */
  readonly respond: (response: Response) => void;
  /** The connection has left HTTP (101): it belongs to the receiver now. */
  readonly upgrade: (socket: Socket, response: Response) => void;
  readonly fail: (error: Error) => void;
  /** The answer is complete; `reusable` when the connection can carry another request. */
  readonly complete: (reusable: boolean) => void;
}

const headEnd = "\r\n\r\n";
const emptyBuffer = Buffer.alloc(0);

/** HTTP/1.1 on one Unix socket, one request after the other. */
export class Connection {
  readonly socket: Socket;
  #exchange: Exchange | undefined;
  #head: Buffer = emptyBuffer;
  #response: Response | undefined;
  #decoder: BodyDecoder | undefined;
  /** The response's reader is slower than the daemon. */
  #blocked = false;
  readonly #readable = (): void => this.#read();
  readonly #ended = (): void => this.#end();
  readonly #failed = (error: Error): void => this.#fail(error);

  constructor(socketPath: string) {
    this.socket = connect(socketPath);
    this.socket.on("readable", this.#readable);
    this.socket.on("end", this.#ended);
    this.socket.on("close", this.#ended);
    this.socket.on("error", this.#failed);
  }

  /** Expects the answer to a request whose bytes the caller writes to the socket. */
  begin(exchange: Exchange): void {
    this.#exchange = exchange;
    this.socket.ref();
  }

  #read(): void {
    try {
      while (!this.#blocked) {
        const chunk = this.socket.read() as Buffer | null;
        if (chunk === null) return;
        this.#take(chunk);
      }
    } catch (error) {
      this.socket.destroy(error as Error);
    }
  }

  #take(chunk: Buffer): void {
    if (this.#decoder !== undefined) {
      this.#takeBody(this.#decoder, chunk);
      return;
    }
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(headEnd);
    if (end < 0) {
      if (this.#head.length > maxHead) throw new SampanError("internal", "The daemon's answer has no end of its head");
      return;
    }
    const head = parseHead(this.#head.subarray(0, end).toString("latin1"));
    const rest = this.#head.subarray(end + headEnd.length);
    this.#head = emptyBuffer;
    const exchange = this.#exchange;
    if (exchange === undefined) throw new SampanError("internal", "The daemon answered what nobody asked");
    const response = new Response(head, { resume: () => this.#resume(), abandon: () => this.#abandon() });
    if (head.status === 101) this.#leaveHttp(exchange, response, rest);
    else if (head.status >= 200) {
      this.#response = response;
      this.#decoder = bodyDecoder(exchange.method, head);
      exchange.respond(response);
      this.#takeBody(this.#decoder, rest);
    } else if (rest.length > 0) this.#take(rest);
  }

  #takeBody(decoder: BodyDecoder, chunk: Uint8Array): void {
    const response = this.#response;
    decoder.push(chunk, (payload) => {
      if (response?.push(payload) === false) this.#blocked = true;
    });
    if (decoder.done) this.#complete(response?.headers.connection?.toLowerCase() !== "close");
  }

  #complete(reusable: boolean): void {
    const exchange = this.#exchange;
    this.#response?.push(null);
    this.#response = undefined;
    this.#decoder = undefined;
    this.#exchange = undefined;
    this.#blocked = false;
    // An idle connection does not keep the process alive.
    this.socket.unref();
    exchange?.complete(reusable && !this.socket.destroyed);
  }

  #leaveHttp(exchange: Exchange, response: Response, rest: Buffer): void {
    this.socket.off("readable", this.#readable);
    this.socket.off("end", this.#ended);
    this.socket.off("close", this.#ended);
    this.socket.off("error", this.#failed);
    this.#exchange = undefined;
    // What comes from here on is the receiver's to read.
    this.#blocked = true;
    if (rest.length > 0) this.socket.unshift(rest);
    exchange.upgrade(this.socket, response);
  }

  #resume(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#read();
  }

  #abandon(): void {
    if (this.#response !== undefined) this.socket.destroy();
  }

  #end(): void {
    if (this.#decoder?.untilClose) this.#complete(false);
    else this.#fail(Object.assign(new Error("the daemon closed the connection"), { code: "ECONNRESET" }));
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    const response = this.#response;
    this.#exchange = undefined;
    this.#response = undefined;
    this.socket.destroy();
    if (response === undefined) exchange?.fail(error);
    else response.destroy(error);
    exchange?.complete(false);
  }
}
