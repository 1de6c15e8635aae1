import { Shared } from "../../images/shared.ts";
import type { ImageStore, Progress, Removal, StoredImage } from "../../images/types.ts";
import { parseReference } from "../../registry/reference.ts";
import type { EngineParts } from "../parts.ts";
import type { EnginePullOptions, Images } from "../types.ts";

/** A pull under way: everything it has said so far, and who listens. */
interface Pull {
  readonly done: Promise<StoredImage>;
  readonly said: Progress[];
  readonly listeners: Set<(line: Progress) => void>;
}

type Parts = Pick<EngineParts, "images" | "events" | "registry">;

/** The image store, with events, shared pulls, and knowledge of who uses an image. */
export class EngineImages implements Images {
  readonly #parts: Parts;
  readonly #pulls = new Shared<Pull>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async pull(options: EnginePullOptions): Promise<StoredImage> {
    const reference = parseReference(options.reference);
    const { platform, auth, signal, progress } = options;
    const key = JSON.stringify([reference.canonical, platform, auth]);
    const { flight, leave } = await this.#pulls.join(key, (abort) => this.#begin(options, abort));
    for (const line of flight.said) progress(line);
    flight.listeners.add(progress);
    const left = new Promise<never>((_resolve, reject) => {
      const stop = () => leave().then(() => reject(signal?.reason), reject);
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
    try {
      return await Promise.race([flight.done, left]);
    } finally {
      flight.listeners.delete(progress);
      left.catch(() => {});
      await leave();
    }
  }

  load: Images["load"] = async (archive, options) => {
    const loaded = await this.#parts.images.load(archive, options);
    for (const { image, names } of loaded) this.#tell("load", image.id, names[0] ?? image.id);
    return loaded;
  };

  resolve: ImageStore["resolve"] = (nameOrId, platform) => this.#parts.images.resolve(nameOrId, platform);

  list: ImageStore["list"] = () => this.#parts.images.list();

  async remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly noPrune?: boolean | undefined },
  ): Promise<Removal[]> {
    const { images, registry } = this.#parts;
    const { id } = images.resolve(nameOrId);
    const removals = await images.remove(nameOrId, { ...options, inUse: (image) => registry.usersOf(image) });
    for (const removal of removals) {
      if ("untagged" in removal) this.#tell("untag", id, id);
      else if (removal.deleted === id) this.#tell("delete", id, id);
    }
    return removals;
  }

  tag(nameOrId: string, target: string): void {
    const { images } = this.#parts;
    const { id } = images.resolve(nameOrId);
    const reference = parseReference(target);
    images.tag(id, reference);
    this.#tell("tag", id, reference.familiar);
  }

  containersOf(imageId: string): number {
    return this.#parts.registry.ofImage(imageId).size;
  }

  #begin({ reference, platform, auth }: EnginePullOptions, signal: AbortSignal): Pull {
    const said: Progress[] = [];
    const listeners = new Set<(line: Progress) => void>();
    const progress = (line: Progress) => {
      remember(said, line);
      for (const listener of listeners) listener(line);
    };
    const parsed = parseReference(reference);
    const done = this.#parts.images.pull(parsed, { platform, auth, progress, signal }).then((image) => {
      this.#tell("pull", parsed.familiar, parsed.familiarName, image);
      return image;
    });
    done.catch(() => {});
    return { done, said, listeners };
  }

  #tell(action: string, id: string, name: string, image?: StoredImage): void {
    this.#parts.events.emit("image", action, id, { ...image?.config.config?.Labels, name });
  }
}

/** Keeps of each layer's progress only the last line: who comes later wants to know where it is. */
function remember(said: Progress[], line: Progress): void {
  const last = line.total === undefined ? -1 : said.findLastIndex(({ id }) => id === line.id);
  if (last >= 0 && said[last]?.status === line.status) said[last] = line;
  else said.push(line);
}
