import type { ServeLine } from "../api/shapes/registry.ts";
import type { Transport } from "./transport.ts";

export interface ServeImages {
  /** ADDRESS:PORT; 127.0.0.1:5000 when absent. */
  readonly listen?: string | undefined;
  /** Paths of a certificate and its key on the daemon's machine. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A daemon's images as a registry. */
export class RegistryService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Serves images until the lines are no longer read. */
  serve({ signal, ...query }: ServeImages = {}): Promise<AsyncGenerator<ServeLine>> {
    return this.#transport.lines({ method: "POST", path: "/registry/serve", query, signal });
  }
}
