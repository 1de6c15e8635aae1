import { Agent, request } from "node:http";
import type { Contestant } from "./measure.ts";

/** A client of Docker's API over a Unix socket that keeps its connections, the same for every engine. */
export class Api {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Sends a request and returns the parsed body; fails on a status of 400 or more. */
  call(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.send(method, path, body === undefined ? undefined : JSON.stringify(body), "application/json");
  }

  send(method: string, path: string, body: string | Uint8Array | undefined, type: string): Promise<unknown> {
    const headers = body === undefined ? {} : { "content-type": type, "content-length": Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.#socketPath, agent: this.#agent, method, path: `/v1.41${path}`, headers };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status >= 400) reject(new Error(`${method} ${path}: ${status} ${text}`));
          else resolve(response.headers["content-type"]?.startsWith("application/json") ? lastJson(text) : text);
        });
      });
      call.once("error", reject);
      call.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
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
