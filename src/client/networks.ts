import type {
  ConnectNetworkRequest,
  CreateNetworkRequest,
  CreateNetworkResponse,
  NetworkResource,
  PruneNetworksResponse,
} from "../api/shapes/network.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

type FilterMap = Readonly<Record<string, readonly string[]>>;

/** The networks of a daemon. Networks go by name, id, or unambiguous start of an id. */
export class Networks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a network. Throws conflict when the name is taken, invalid when the ranges make no sense. */
  create(body: CreateNetworkRequest): Promise<CreateNetworkResponse> {
    return this.#transport.json({ method: "POST", path: "/networks/create", body });
  }

  list(options: { filters?: FilterMap | undefined } = {}): Promise<NetworkResource[]> {
    return this.#transport.json({ method: "GET", path: "/networks", query: options });
  }

  inspect(network: string, options: { verbose?: boolean | undefined } = {}): Promise<NetworkResource> {
    return this.#transport.json({ method: "GET", path: at(network), query: options });
  }

  /** Joins a container to a network, at once when it runs. */
  async connect(network: string, body: ConnectNetworkRequest): Promise<void> {
    await this.#done({ method: "POST", path: `${at(network)}/connect`, body });
  }

  /** With `force` a container that is gone is no error. */
  async disconnect(network: string, container: string, { force = false }: { force?: boolean } = {}): Promise<void> {
    await this.#done({
      method: "POST",
      path: `${at(network)}/disconnect`,
      body: { Container: container, Force: force },
    });
  }

  /** Removes a network. Throws denied when a container uses it or when it is the daemon's own. */
  async remove(network: string): Promise<void> {
    await this.#done({ method: "DELETE", path: at(network) });
  }

  /** Removes the networks that no container uses. */
  prune(options: { filters?: FilterMap | undefined } = {}): Promise<PruneNetworksResponse> {
    return this.#transport.json({ method: "POST", path: "/networks/prune", query: options });
  }

  async #done(call: Parameters<Transport["send"]>[0]): Promise<void> {
    await readText(await this.#transport.send(call));
  }
}

function at(network: string): string {
  return `/networks/${encodeURIComponent(network)}`;
}
