import type { CreateExecRequest, CreateExecResponse, ExecInspect, StartExecRequest } from "../api/shapes/exec.ts";
import type { Hijacked } from "./hijack.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

/** Where the requests of an exec go. */
const at = (exec: string): string => `/exec/${encodeURIComponent(exec)}`;

/** Further commands in running containers. */
export class Execs {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  create(container: string, body: CreateExecRequest): Promise<CreateExecResponse> {
    const path = `/containers/${encodeURIComponent(container)}/exec`;
    return this.#transport.json({ method: "POST", path, body });
  }

  /** Starts the command with its input and output on the returned connection. */
  start(exec: string, body: StartExecRequest): Promise<Hijacked> {
    return this.#transport.hijack({ method: "POST", path: `${at(exec)}/start`, body: { ...body, Detach: false } });
  }

  /** Starts the command and leaves it alone. */
  async startDetached(exec: string, body: StartExecRequest): Promise<void> {
    const call = { method: "POST", path: `${at(exec)}/start`, body: { ...body, Detach: true } } as const;
    await readText(await this.#transport.send(call));
  }

  async resize(exec: string, size: { h: number; w: number }): Promise<void> {
    await readText(await this.#transport.send({ method: "POST", path: `${at(exec)}/resize`, query: size }));
  }

  inspect(exec: string): Promise<ExecInspect> {
    return this.#transport.json({ method: "GET", path: `${at(exec)}/json` });
  }
}
