import type { CreateSecretRequest, CreateSecretResponse, Secret } from "../api/shapes/secret.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

/** The secrets of a daemon, by id or name. What they hold cannot be asked for. */
export class Secrets {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Keeps a secret. Throws conflict when the name is taken. */
  create(body: CreateSecretRequest): Promise<CreateSecretResponse> {
    return this.#transport.json({ method: "POST", path: "/secrets/create", body });
  }

  list(options: { filters?: Readonly<Record<string, readonly string[]>> | undefined } = {}): Promise<Secret[]> {
    return this.#transport.json({ method: "GET", path: "/secrets", query: options });
  }

  inspect(secret: string): Promise<Secret> {
    return this.#transport.json({ method: "GET", path: at(secret) });
  }

  /** Removes a secret. Throws invalid while a container has it. */
  async remove(secret: string): Promise<void> {
    await readText(await this.#transport.send({ method: "DELETE", path: at(secret) }));
  }
}

function at(secret: string): string {
  return `/secrets/${encodeURIComponent(secret)}`;
}
