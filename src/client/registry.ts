import type { ServeLine } from "../api/shapes/registry.ts";
import type { Transport } from "./transport.ts";

export interface ServeImages {
  /** ADDRESS:PORT; 127.0.0.1:5000 when absent. */
  readonly listen?: string | undefined;
  /** Address of a registry: what is not here is fetched from there, and kept. */
  readonly proxy?: string | undefined;
  /** Credentials for it, as the header X-Registry-Auth takes them. */
  readonly auth?: string | undefined;
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
  serve({ signal, auth, ...query }: ServeImages = {}): Promise<AsyncGenerator<ServeLine>> {
    const headers = auth === undefined ? {} : { "X-Registry-Auth": auth };
    return this.#transport.lines({ method: "POST", path: "/registry/serve", query, headers, signal });
  }
}
