import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runProgram } from "./process.ts";

const sampan = resolve(import.meta.dirname, "../../bin/sampan");

/** One request that a command line made. */
export interface Asked {
  readonly method: string;
  /** Without the version. */
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly Asked[];
}

type Answers = Readonly<Record<string, unknown>>;

/**
 * A daemon that only plays one: it notes what it is asked and answers from a script, "GET /networks" → JSON. So the command
 * lines of docker and of Sampan can be held side by side, without an engine between them.
 */
export class ScriptedApi {
  readonly directory: string;
  readonly #server: Server;
  readonly #socket: string;
  readonly #answers: Answers;
  #asked: Asked[] = [];

  constructor(answers: Answers) {
    this.#answers = answers;
    this.directory = mkdtempSync(join(tmpdir(), "sampan-script-"));
    this.#socket = join(this.directory, "api.sock");
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  async open(): Promise<void> {
    const { promise, resolve: listening } = Promise.withResolvers<void>();
    this.#server.listen(this.#socket, listening);
    await promise;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.directory, { recursive: true });
  }

  docker(...args: string[]): Promise<Said> {
    return this.#run("docker", args);
  }

  sampan(...args: string[]): Promise<Said> {
    return this.#run(sampan, args);
  }

  async #run(program: string, args: readonly string[]): Promise<Said> {
    this.#asked = [];
    const { PATH = "" } = process.env;
    const url = `unix://${this.#socket}`;
    const env = { PATH, HOME: this.directory, DOCKER_HOST: url, SAMPAN_HOST: url, TZ: "UTC" };
    const { status, stdout, stderr } = await runProgram(program, args, { cwd: this.directory, env, input: "" });
    return { status: status ?? -1, out: stdout, err: stderr, asked: this.#asked };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://api");
    const path = pathname.replace(/^\/v[\d.]+/, "");
    response.setHeader("Api-Version", "1.50");
    if (path === "/_ping") {
      response.end("OK");
      return;
    }
    const text = Buffer.concat(chunks).toString();
    const method = request.method ?? "";
    this.#asked.push({ method, path, query: queryOf(searchParams), body: text === "" ? undefined : JSON.parse(text) });
    const answer = this.#answers[`${method} ${path}`];
    response.setHeader("Content-Type", "application/json");
    response.statusCode = answer === undefined ? 404 : method === "DELETE" ? 204 : 200;
    if (response.statusCode === 204) response.end();
    else response.end(JSON.stringify(answer ?? { message: `${path.split("/").at(-1)} is not in the script` }));
  }
}

/** Docker's filters travel as `{"name":{"value":true}}` or `{"name":["value"]}`, which mean the same. */
function queryOf(parameters: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries(
    [...parameters].map(([name, value]) => [name, name === "filters" ? filtersOf(value) : value]),
  );
}

function filtersOf(json: string): Record<string, unknown> {
  const entries = Object.entries(JSON.parse(json) as Record<string, object>);
  return Object.fromEntries(
    entries.map(([name, values]) => [name, Array.isArray(values) ? values : Object.keys(values)]),
  );
}
