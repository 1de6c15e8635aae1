import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { errorAnswer } from "./error-body.ts";

type Headers = Readonly<Record<string, string>>;

/** Answers on a connection that Node's HTTP server has let go of, and closes it. */
export function answerRaw(socket: Socket, status: number, headers: Headers, body = ""): void {
  const length = status === 304 ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
  socket.end(`${head(status, { ...headers, ...length, Connection: "close" })}${body}`);
  // What the client still sends is of no interest, but must be read or the close would destroy the answer.
  socket.resume();
}

/** Answers with an error and closes the connection. */
export function refuseRaw(socket: Socket, headers: Headers, error: unknown): void {
  const { status, body } = errorAnswer(error);
  answerRaw(socket, status, body === "" ? headers : { ...headers, "Content-Type": "application/json" }, body);
}

/**
 * The header after which a connection is a raw stream. With Upgrade it is 101, and the type says whether output is
 * framed; without, 200 and always "raw", as dockerd has it.
 */
export function hijackHeader(headers: Headers, upgrade: boolean, multiplexed: boolean): string {
  const type = `application/vnd.docker.${upgrade && multiplexed ? "multiplexed" : "raw"}-stream`;
  if (!upgrade) return head(200, { ...headers, "Content-Type": type });
  return head(101, { ...headers, "Content-Type": type, Connection: "Upgrade", Upgrade: "tcp" });
}

/** The header after which a connection speaks another protocol. */
export function upgradeHeader(headers: Headers, protocol: string): string {
  return head(101, { ...headers, Connection: "Upgrade", Upgrade: protocol });
}

function head(status: number, headers: Headers): string {
  const reason = status === 101 ? "UPGRADED" : (STATUS_CODES[status] ?? "Unknown");
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join("")}\r\n`;
}
