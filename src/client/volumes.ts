import type { CreateVolumeRequest, ListVolumesResponse, PruneVolumesResponse, Volume } from "../api/shapes/volume.ts";
import type { Transport } from "./transport.ts";
import { readText } from "./transport.ts";

type FilterMap = Readonly<Record<string, readonly string[]>>;

/** The volumes of a daemon, by name. */
export class Volumes {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Makes a volume; the one of that name where there is one already. */
  create(body: CreateVolumeRequest = {}): Promise<Volume> {
    return this.#transport.json({ method: "POST", path: "/volumes/create", body });
  }

  list(options: { filters?: FilterMap | undefined } = {}): Promise<ListVolumesResponse> {
    return this.#transport.json({ method: "GET", path: "/volumes", query: options });
  }

  inspect(volume: string): Promise<Volume> {
    return this.#transport.json({ method: "GET", path: at(volume) });
  }

  /** Removes a volume. Throws conflict while a container has it. With `force` one that is not there is no error. */
  async remove(volume: string, options: { force?: boolean | undefined } = {}): Promise<void> {
    const query = { force: options.force ? 1 : undefined };
    await readText(await this.#transport.send({ method: "DELETE", path: at(volume), query }));
  }

  /** Removes the volumes that no container has; only those without a name unless the filter `all` says otherwise. */
  prune(options: { filters?: FilterMap | undefined } = {}): Promise<PruneVolumesResponse> {
    return this.#transport.json({ method: "POST", path: "/volumes/prune", query: options });
  }
}

function at(volume: string): string {
  return `/volumes/${encodeURIComponent(volume)}`;
}
