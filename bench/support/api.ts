import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
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

  /** Sends a request whose answer is a stream that ends with the connection, which is one of its own; returns all of it. */
  async stream(method: string, path: string, body: unknown): Promise<string> {
    const socket = await this.#connect();
    const json = JSON.stringify(body);
    const about = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n`;
    socket.write(`${method} /v1.41${path} HTTP/1.1\r\nHost: docker\r\n${about}\r\n${json}`);
    const answer = await text(socket);
    if (!/^HTTP\/1\.1 (101|200)/.test(answer)) throw new Error(`${method} ${path}: ${answer}`);
    return answer;
  }

  close(): void {
    for (const socket of this.#idle.splice(0)) socket.destroy();
  }

  async #connect(): Promise<Socket> {
    const socket = connect(this.#socketPath);
    await once(socket, "connect");
    socket.on("error", () => {}); // while it is idle; whoever uses it is told by his own listener
    socket.once("close", () => {
      const at = this.#idle.indexOf(socket);
      if (at >= 0) this.#idle.splice(at, 1); // engines give up connections that nobody uses
    });
    return socket;
  }
}

/** The answer to the one request that is under way. */
function receive(socket: Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let received = "";
    const settle = (end: () => void) => {
      socket.off("data", take);
      socket.off("close", lost);
      socket.off("error", reject);
      end();
    };
    const take = (chunk: Buffer) => {
      received += chunk.toString("latin1");
      const answer = parse(received);
      if (answer) settle(() => resolve(answer));
    };
    const lost = () => settle(() => reject(new Error(`the connection was closed after ${received.length} bytes`)));
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

/** create, start with its output until that ends, exit status: what `exec` of the command line is over the API. */
export function apiExec(name: string, api: Api, container: string): Contestant {
  return {
    name,
    once: async () => {
      const config = { Cmd: ["/bin/true"], AttachStdout: true, AttachStderr: true };
      const { Id } = (await api.call("POST", `/containers/${container}/exec`, config)) as { Id: string };
      await api.stream("POST", `/exec/${Id}/start`, { Detach: false, Tty: false });
      const { ExitCode } = (await api.call("GET", `/exec/${Id}/json`)) as { ExitCode: number | null };
      if (ExitCode !== 0) throw new Error(`${name}: exit status ${ExitCode}`);
      return undefined;
    },
    close: async () => api.close(),
  };
}

/** Receives an answer as fast as it comes, without looking at it: its bytes, the header's too. Fails on a status of 400 or more. */
export async function drain(socketPath: string, path: string): Promise<number> {
  let received = 0;
  let status = "";
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  const callback = (count: number): boolean => {
    if (received === 0) status = buffer.toString("latin1", 9, 12);
    received += count;
    return true;
  };
  const reading = connect({ path: socketPath, onread: { buffer, callback } });
  reading.write(`GET /v1.41${path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n`);
  await once(reading, "close");
  if (status !== "200") throw new Error(`GET ${path}: status ${status}`);
  return received;
}

/** As `Api.call` of GET, on a connection of its own that is given up after so many milliseconds. */
export async function ask(socketPath: string, path: string, patience: number): Promise<void> {
  const asking = connect(socketPath);
  asking.setTimeout(patience, () => asking.destroy(new Error(`GET ${path}: no answer within ${patience / 1000} s`)));
  asking.write(`GET /v1.41${path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n`);
  const answer = await text(asking);
  if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`GET ${path}: ${answer.slice(0, 300)}`);
}

/** A container that does nothing, for as long as a benchmark takes; its id and the process id of its first process. */
export async function startIdle(api: Api, image: string): Promise<{ readonly id: string; readonly pid: number }> {
  const config = { Image: image, Cmd: ["sleep", "10000"], HostConfig: { NetworkMode: "none" } };
  const { Id } = (await api.call("POST", "/containers/create", config)) as { Id: string };
  await api.call("POST", `/containers/${Id}/start`);
  const { State } = (await api.call("GET", `/containers/${Id}/json`)) as { State: { Pid: number } };
  return { id: Id, pid: State.Pid };
}
