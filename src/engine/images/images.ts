import { SampanError } from "../../errors/index.ts";
import { decompressed } from "../../images/decompress.ts";
import { hostPlatform } from "../../images/platform.ts";
import { Shared } from "../../images/shared.ts";
import type { ImageStore, Platform, Progress, Removal, StoredImage } from "../../images/types.ts";
import { parseReference } from "../../registry/reference.ts";
import type { Reference } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";
import type { EngineParts } from "../parts.ts";
import type { EnginePullOptions, EnginePushOptions, Images, PrunedImages } from "../types.ts";
import { applyChanges } from "./changes.ts";
import { commitContainer } from "./commit.ts";
import { imageEvent } from "./events.ts";
import type { CommitRequest, ImportRequest } from "./types.ts";

/** A pull under way: everything it has said so far, and who listens. */
interface Pull {
  readonly done: Promise<StoredImage>;
  readonly said: Progress[];
  readonly listeners: Set<(line: Progress) => void>;
}

/** The image store, with events, shared pulls, and knowledge of who uses an image. */
export class EngineImages implements Images {
  readonly #parts: EngineParts;
  readonly #pulls = new Shared<Pull>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async pull(options: EnginePullOptions): Promise<StoredImage> {
    const reference = parseReference(options.reference);
    const { platform, givesWay, auth, signal, progress } = options;
    const key = JSON.stringify([reference.canonical, platform, givesWay, auth]);
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

  async pullAll(options: EnginePullOptions): Promise<void> {
    const parsed = parseReference(options.reference);
    for (const tag of await this.#parts.images.tagsOf(parsed, options)) {
      options.signal?.throwIfAborted();
      await this.pull({ ...options, reference: `${parsed.familiarName}:${tag}` });
    }
  }

  async push({ reference, ...options }: EnginePushOptions): Promise<void> {
    const parsed = parseReference(reference);
    if (parsed.digest !== undefined) throw new SampanError("invalid", "cannot push a digest reference");
    await this.#parts.images.push(parsed, {
      ...options,
      pushed: (result) => {
        this.#tell("push", result.name.familiar, result.name.familiarName, result.image);
        options.pushed(result);
      },
    });
  }

  load: Images["load"] = async (archive, options) => {
    const loaded = await this.#parts.images.load(archive, options);
    for (const { image, names } of loaded) this.#tell("load", image.id, names[0] ?? image.id);
    return loaded;
  };

  resolve: ImageStore["resolve"] = (nameOrId, platform) => this.#parts.images.resolve(nameOrId, platform);

  lookUp: ImageStore["lookUp"] = (name, options) => this.#parts.images.lookUp(name, options);

  serve: ImageStore["serve"] = (options) => this.#parts.images.serve(options);

  search: ImageStore["search"] = (text, options) => this.#parts.images.search(text, options);

  pushIndex: ImageStore["pushIndex"] = (index, options) => this.#parts.images.pushIndex(index, options);

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

  async prune(wanted: (image: StoredImage) => boolean): Promise<PrunedImages> {
    const { registry, events, images } = this.#parts;
    const removals: Removal[] = [];
    let reclaimed = await images.collectInterrupted();
    for (const image of this.list().filter(wanted)) {
      // Asked of each when its turn comes: a container may have been made from it meanwhile.
      if (image.virtual !== undefined || registry.usersOf(image.id).length > 0) continue;
      removals.push(...(await this.remove(image.id, { force: true })));
      reclaimed += image.size;
    }
    events.pruned("image", reclaimed);
    return { removals, reclaimed };
  }

  tag(nameOrId: string, target: string): void {
    const { images } = this.#parts;
    const { id } = images.resolve(nameOrId);
    const reference = parseReference(target);
    images.tag(nameOrId, reference);
    this.#tell("tag", id, reference.familiar);
  }

  async commit(request: CommitRequest): Promise<string> {
    const reference = nameOf(request.reference);
    return await commitContainer(this.#parts, request, reference);
  }

  async import(request: ImportRequest, tar: AsyncIterable<Uint8Array>): Promise<string> {
    const reference = nameOf(request.reference);
    const { comment, platform = hostPlatform(), signal, changes } = request;
    const defaults = applyChanges({}, changes);
    const layer = decompressed(tar, "the archive");
    const history = { comment };
    const { id } = await this.#parts.images.create({ layer, platform, defaults, history, reference, signal });
    this.#tell("import", id, reference?.familiar ?? id);
    return id;
  }

  async save(names: readonly string[], platform?: Platform): Promise<AsyncGenerator<Uint8Array>> {
    const archive = await this.#parts.images.save(names, platform);
    const found = (name: string) => this.list().find((image) => image.names.some((one) => one.startsWith(`${name}:`)));
    for (const name of names) {
      const { id } = found(name) ?? this.resolve(name);
      this.#tell("save", id, name);
    }
    return archive;
  }

  manifestsOf: ImageStore["manifestsOf"] = (image) => this.#parts.images.manifestsOf(image);

  containerIdsOf(imageId: Digest): string[] {
    return this.#parts.registry.usersOf(imageId).map(({ id }) => id);
  }

  containersOf(imageId: string): number {
    return this.#parts.registry.ofImage(imageId).size;
  }

  #begin({ reference, platform, givesWay, auth }: EnginePullOptions, signal: AbortSignal): Pull {
    const said: Progress[] = [];
    const listeners = new Set<(line: Progress) => void>();
    const progress = (line: Progress) => {
      remember(said, line);
      for (const listener of listeners) listener(line);
    };
    const parsed = parseReference(reference);
    const done = this.#parts.images.pull(parsed, { platform, givesWay, auth, progress, signal }).then((image) => {
      this.#tell("pull", parsed.familiar, parsed.familiarName, image);
      return image;
    });
    done.catch(() => {});
    return { done, said, listeners };
  }

  #tell(action: string, id: string, name: string, image?: StoredImage): void {
    imageEvent(this.#parts.events, action, { id, name, image });
  }
}

/** A name that an image can be given. */
function nameOf(text: string | undefined): Reference | undefined {
  if (text === undefined) return undefined;
  const reference = parseReference(text);
  if (reference.digest !== undefined || reference.tag === undefined) {
    throw new SampanError("invalid", "cannot import digest reference");
  }
  return reference;
}

/** Keeps of each layer's progress only the last line: who comes later wants to know where it is. */
function remember(said: Progress[], line: Progress): void {
  const last = line.total === undefined ? -1 : said.findLastIndex(({ id }) => id === line.id);
  if (last >= 0 && said[last]?.status === line.status) said[last] = line;
  else said.push(line);
}
