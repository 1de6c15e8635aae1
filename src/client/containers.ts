import type {
  ContainerInspect,
  ContainerSummary,
  CreateContainerRequest,
  CreateContainerResponse,
  ExplainResponse,
  PruneContainersResponse,
  TopResponse,
  UpdateContainerRequest,
  UpdateContainerResponse,
  WaitResponse,
} from "../api/shapes/container.ts";
import type { EgressEntry } from "../api/shapes/egress.ts";
import type { StatsResponse } from "../api/shapes/stats.ts";
import type { Hijacked } from "./hijack.ts";
import type { Response } from "./http/response.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

export interface ListContainers {
  readonly all?: boolean | undefined;
  /** At most so many, the newest first. */
  readonly limit?: number | undefined;
  readonly size?: boolean | undefined;
  readonly filters?: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface AttachContainer {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** Output from now on; without it nothing but `logs` is sent. */
  readonly stream?: boolean;
  /** Output so far. */
  readonly logs?: boolean;
  readonly detachKeys?: string | undefined;
}

export interface ContainerLogs {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly follow?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  readonly details?: boolean | undefined;
  /** A number of lines, or `all`. */
  readonly tail?: string | undefined;
  /** Unix time, with a fraction down to nanoseconds. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

/** The containers of a daemon. Containers go by id, unambiguous start of an id, or name. */
export class Containers {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a container without starting it. Throws not-found when the image is not there. */
  create(
    body: CreateContainerRequest,
    options: { name?: string | undefined; platform?: string | undefined } = {},
  ): Promise<CreateContainerResponse> {
    return this.#transport.json({ method: "POST", path: "/containers/create", query: options, body });
  }

  /** The program of system calls that would start such a container, in words. Nothing is created. */
  explain(body: CreateContainerRequest, options: { platform?: string | undefined } = {}): Promise<ExplainResponse> {
    return this.#transport.json({ method: "POST", path: "/sampan/explain", query: options, body });
  }

  list(options: ListContainers = {}): Promise<ContainerSummary[]> {
    return this.#transport.json({ method: "GET", path: "/containers/json", query: { ...options } });
  }

  inspect(container: string, options: { size?: boolean | undefined } = {}): Promise<ContainerInspect> {
    return this.#transport.json({ method: "GET", path: `${at(container)}/json`, query: options });
  }

  /** Starts a container; one that runs already throws not-modified. */
  async start(container: string, options: { detachKeys?: string | undefined } = {}): Promise<void> {
    await this.#post(`${at(container)}/start`, options);
  }

  /** Asks the container to stop, and kills it after `t` seconds (-1: never). Throws not-modified when it has stopped. */
  async stop(container: string, options: { t?: number | undefined; signal?: string | undefined } = {}): Promise<void> {
    await this.#post(`${at(container)}/stop`, options);
  }

  /** Stops and starts it; starts one that does not run. */
  async restart(
    container: string,
    options: { t?: number | undefined; signal?: string | undefined } = {},
  ): Promise<void> {
    await this.#post(`${at(container)}/restart`, options);
  }

  /** Throws conflict when the name is taken. */
  async rename(container: string, name: string): Promise<void> {
    await this.#post(`${at(container)}/rename`, { name });
  }

  async kill(container: string, options: { signal?: string | undefined } = {}): Promise<void> {
    await this.#post(`${at(container)}/kill`, options);
  }

  /** Freezes all its processes. */
  async pause(container: string): Promise<void> {
    await this.#post(`${at(container)}/pause`, {});
  }

  async unpause(container: string): Promise<void> {
    await this.#post(`${at(container)}/unpause`, {});
  }

  /** Changes limits and restart policy, of a running container at once. */
  update(container: string, changes: UpdateContainerRequest): Promise<UpdateContainerResponse> {
    return this.#transport.json({ method: "POST", path: `${at(container)}/update`, body: changes });
  }

  /** Its processes; `psOptions` as ps(1) takes them. */
  top(container: string, psOptions = ""): Promise<TopResponse> {
    const query = { ps_args: psOptions === "" ? undefined : psOptions };
    return this.#transport.json({ method: "GET", path: `${at(container)}/top`, query });
  }

  /** What it uses now, and has used a second before. */
  stats(container: string, options: { signal?: AbortSignal | undefined } = {}): Promise<StatsResponse> {
    return this.#transport.json({ method: "GET", path: `${at(container)}/stats`, query: { stream: 0 }, ...options });
  }

  /** The same, every second until the container is removed or the signal fires. */
  statsStream(
    container: string,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<AsyncGenerator<StatsResponse>> {
    return this.#transport.lines({ method: "GET", path: `${at(container)}/stats`, query: { stream: 1 }, ...options });
  }

  async resize(container: string, size: { h: number; w: number }): Promise<void> {
    await this.#post(`${at(container)}/resize`, size);
  }

  async remove(
    container: string,
    options: { force?: boolean | undefined; v?: boolean | undefined } = {},
  ): Promise<void> {
    await readText(await this.#transport.send({ method: "DELETE", path: at(container), query: options }));
  }

  /**
   * Resolves once the daemon watches; `exit` then resolves with the exit code. Starting the container between the two
   * cannot miss its end.
   */
  async wait(
    container: string,
    options: { condition?: WaitCondition | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<{ exit: Promise<WaitResponse> }> {
    const { condition, signal } = options;
    const response = await this.#transport.send({
      method: "POST",
      path: `${at(container)}/wait`,
      query: { condition },
      signal,
    });
    const exit = readText(response).then((text) => JSON.parse(text) as WaitResponse);
    exit.catch(() => {});
    return { exit };
  }

  attach(container: string, options: AttachContainer): Promise<Hijacked> {
    return this.#transport.hijack({ method: "POST", path: `${at(container)}/attach`, query: numeric(options) });
  }

  /** The log as a stream: framed unless the container has a terminal. */
  logs(container: string, options: ContainerLogs): Promise<Response> {
    return this.#transport.send({ method: "GET", path: `${at(container)}/logs`, query: numeric(options) });
  }

  /** What its egress policy has refused, oldest first; with `follow` also what comes, until it is removed. */
  egress(container: string, options: { follow?: boolean | undefined } = {}): Promise<AsyncGenerator<EgressEntry>> {
    return this.#transport.lines({ method: "GET", path: `${at(container)}/egress`, query: numeric(options) });
  }

  /** Removes those that do not run. */
  prune(
    options: { filters?: Readonly<Record<string, readonly string[]>> | undefined } = {},
  ): Promise<PruneContainersResponse> {
    return this.#transport.json({ method: "POST", path: "/containers/prune", query: options });
  }

  async #post(path: string, query: Readonly<Record<string, string | number | undefined>>): Promise<void> {
    await readText(await this.#transport.send({ method: "POST", path, query }));
  }
}

function at(container: string): string {
  return `/containers/${encodeURIComponent(container)}`;
}

/** Truth values as 1 and absent: what every version of the API understands. */
function numeric(options: object): Record<string, string | number | undefined> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name,
      typeof value === "boolean" ? (value ? 1 : undefined) : value,
    ]),
  );
}
