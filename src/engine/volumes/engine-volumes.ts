import { SampanError } from "../../errors/index.ts";
import { newId } from "../identity/ids.ts";
import { volumeName } from "../mounts/bind-text.ts";
import type { EngineParts } from "../parts.ts";
import { checkLocalOptions } from "./local-options.ts";
import type { EngineVolumes, PrunedVolumes, VolumeRecord, VolumeRequest, VolumeUsage, VolumeView } from "./types.ts";
import { anonymousLabel } from "./volumes.ts";

type Parts = Pick<EngineParts, "volumes" | "registry" | "events">;

/** The volumes, and who has them. */
export class NamedVolumes implements EngineVolumes {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async create(request: VolumeRequest): Promise<VolumeView> {
    const { volumes, events } = this.#parts;
    const { driver, options } = request;
    const anonymous = request.name === "";
    const name = anonymous ? newId() : volumeName(request.name);
    if (driver !== "" && driver !== "local") throw unknownDriver(name, driver);
    const known = volumes.find(name);
    if (known !== undefined) return this.#view(known, this.#users());
    try {
      checkLocalOptions(options);
    } catch (error) {
      if (!(error instanceof SampanError)) throw error;
      throw new SampanError(error.kind, `create ${name}: ${error.message}`, { cause: error });
    }
    const labels = anonymous ? { [anonymousLabel]: "", ...request.labels } : request.labels;
    if (volumes.ensure(name, anonymous, { labels, options }))
      events.emit("volume", "create", name, { driver: "local" });
    return this.get(name);
  }

  list(): VolumeView[] {
    const users = this.#users();
    return this.#parts.volumes.list().map((volume) => this.#view(volume, users));
  }

  get(name: string): VolumeView {
    const volume = this.#parts.volumes.find(name);
    if (volume === undefined) throw new SampanError("not-found", `get ${name}: no such volume`);
    return this.#view(volume, this.#users());
  }

  async remove(name: string, { force = false }: { readonly force?: boolean | undefined } = {}): Promise<void> {
    const { volumes, events } = this.#parts;
    if (volumes.find(name) === undefined && force) return;
    this.get(name);
    const users = this.#users().get(name) ?? [];
    if (users.length > 0 || volumes.isPinned(name)) {
      throw new SampanError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
    }
    await volumes.remove(name);
    events.emit("volume", "destroy", name, { driver: "local" });
  }

  async prune(wanted: (volume: VolumeView) => boolean): Promise<PrunedVolumes> {
    const { volumes, events } = this.#parts;
    const names: string[] = [];
    let reclaimed = 0;
    for (const volume of this.list()) {
      if (volume.users > 0 || Object.keys(volume.options).length > 0 || !wanted(volume)) continue;
      const size = await volumes.size(volume.name);
      // Somebody may have begun to use it while it was measured.
      if (this.#users().has(volume.name) || volumes.isPinned(volume.name)) continue;
      await this.remove(volume.name, { force: true });
      names.push(volume.name);
      reclaimed += size;
    }
    events.pruned("volume", reclaimed);
    return { names, reclaimed };
  }

  async usage(): Promise<VolumeUsage[]> {
    const usages: VolumeUsage[] = [];
    for (const volume of this.list()) usages.push({ volume, size: await this.#parts.volumes.size(volume.name) });
    return usages;
  }

  /** The ids of the containers that have each volume. */
  #users(): Map<string, string[]> {
    const users = new Map<string, string[]>();
    for (const { id, record } of this.#parts.registry.all()) {
      for (const mount of record.mounts) {
        if (mount.type === "volume") users.set(mount.name, [...(users.get(mount.name) ?? []), id]);
      }
    }
    return users;
  }

  #view(volume: VolumeRecord, users: ReadonlyMap<string, readonly string[]>): VolumeView {
    const mountpoint = this.#parts.volumes.directory(volume.name);
    return { ...volume, mountpoint, users: new Set(users.get(volume.name)).size };
  }
}

function unknownDriver(name: string, driver: string): SampanError {
  const plugin = `error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`;
  return new SampanError("not-found", `create ${name}: ${plugin}`);
}
