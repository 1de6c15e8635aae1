import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Contestant } from "./measure.ts";

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * A client of Docker's API over a Unix socket, the same for every engine. It keeps its connections and does no more than
 * it must: node:http's own client takes 0.4 ms of a call, which is nothing that an engine could do something about.
 */
export class Api {
  readonly #socketPath: string;
  readonly #idle: Socket[] = [];

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Sends a request and returns the parsed body; fails on a status of 400 or more. */
  call(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    return this.send(method, path, body === undefined ? undefined : JSON.stringify(body), "application/json", headers);
  }

  async send(
    method: string,
    path: string,
    body: string | Uint8Array | undefined,
    type: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const socket = this.#idle.pop() ?? (await this.#connect());
    const about = body === undefined ? "" : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `${method} /v1.41${path} HTTP/1.1\r\nHost: docker\r\n${more.join("")}${about}\r\n`;
    if (typeof body === "string" || body === undefined) socket.write(head + (body ?? ""));
    else {
      socket.write(head);
      socket.write(body);
    }
    const answer = await receive(socket);
    this.#idle.push(socket);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`);
    return answer.type.startsWith("application/json") ? lastJson(answer.body) : answer.body;
  }

  close(): void {
    for (const socket of this.#idle.splice(0)) socket.destroy();
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#socketPath);
    await once(socket, "connect");
    return socket;
  }
}

/** The answer to the one request that is under way. */
function receive(socket: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (end: () => void) => {
      socket.off("data", take);
      socket.off("close", lost);
      socket.off("error", reject);
      end();
    };
    const take = (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const answer = parse(text);
      if (answer) settle(() => resolve(answer));
    };
    const lost = () => settle(() => reject(new Error(`the connection was closed after ${text.length} bytes`)));
    socket.on("data", take);
    socket.once("close", lost);
    socket.once("error", reject);
  });
}

/** Undefined while it is not complete. */
function parse(text: string): Answer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const status = Number(head.slice(9, 12));
  const type = /^content-type: *(.*)$/im.exec(head)?.[1] ?? "";
  const rest = text.slice(end + 4);
  if (/^transfer-encoding: *chunked/im.test(head)) {
    return rest.endsWith("0\r\n\r\n") ? { status, type, body: rest.replace(/(^|\r\n)[0-9a-f]+\r\n/gi, "") } : undefined;
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return rest.length < length ? undefined : { status, type, body: rest };
}

/** A body may be one JSON text or a stream of them, one per line. */
function lastJson(text: string): unknown {
  const lines = text.trim().split("\n");
  return text.trim() === "" ? undefined : JSON.parse(lines.at(-1) ?? "null");
}

/** create, wait, start, until the exit status is there, remove: what `run --rm` without output is over the API. */
export function apiStart(name: string, api: Api, image: string, network: string, host: object = {}): Contestant {
  const config = { Image: image, Cmd: ["/bin/true"], HostConfig: { NetworkMode: network, ...host } };
  return {
    name,
    once: async () => {
      const { Id } = (await api.call("POST", "/containers/create", config)) as { Id: string };
      const exited = api.call("POST", `/containers/${Id}/wait?condition=next-exit`);
      await api.call("POST", `/containers/${Id}/start`);
      const { StatusCode } = (await exited) as { StatusCode: number };
      if (StatusCode !== 0) throw new Error(`${name}: exit status ${StatusCode}`);
      await api.call("DELETE", `/containers/${Id}`);
      return undefined;
    },
    close: async () => api.close(),
  };
}
