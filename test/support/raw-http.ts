import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { eventually } from "./process.ts";

/** A connection to the API of which every byte is ours: for what HTTP clients do not do, or do too well. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.once("end", () => {
      this.#ended = true;
    });
    socket.once("close", () => {
      this.#ended = true;
    });
    socket.on("error", () => {});
  }

  static async open(path: string): Promise<RawConnection> {
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Closes our half; the daemon's stays open. */
  closeInput(): void {
    this.socket.end();
  }

  /** Everything that has come so far. */
  get received(): string {
    return this.#received.toString("latin1");
  }

  /** What has come behind the first header. */
  get body(): Buffer {
    const end = this.#received.indexOf("\r\n\r\n");
    return end < 0 ? Buffer.alloc(0) : this.#received.subarray(end + 4);
  }

  /** The first header, once it is there. */
  async header(): Promise<string> {
    await this.until("a header comes", () => this.received.includes("\r\n\r\n"));
    return this.received.slice(0, this.received.indexOf("\r\n\r\n"));
  }

  async until(what: string, probe: () => boolean): Promise<void> {
    await eventually(`${what} (so far: ${JSON.stringify(this.received.slice(-300))})`, probe);
  }

  /** Waits until the daemon has closed its half; all that was received. */
  async end(): Promise<string> {
    await eventually(`the daemon closes the connection (so far: ${JSON.stringify(this.received)})`, () => this.#ended);
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** The text of a request with its header; `headers` come one per item. */
export function rawRequest(method: string, path: string, headers: readonly string[] = [], body = ""): string {
  const length = body === "" ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`];
  return [`${method} ${path} HTTP/1.1`, "Host: daemon", ...headers, ...length, "", body].join("\r\n");
}

/** Docker's frames taken apart: what was written to each of the streams. */
export function framesOf(bytes: Buffer): { out: string; err: string } {
  const streams = ["", "", ""];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const stream = bytes[at] ?? 0;
    const length = bytes.readUInt32BE(at + 4);
    streams[stream] += bytes.toString("utf8", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return { out: streams[1] ?? "", err: streams[2] ?? "" };
}
