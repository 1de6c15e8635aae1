import { mkdirSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { SampanError } from "../errors/index.ts";
import { refName } from "../registry/media-types.ts";
import { parseReference } from "../registry/reference.ts";
import type { Patience } from "../registry/retry.ts";
import type { Exchange } from "../registry/trace.ts";
import type { Reference } from "../registry/types.ts";
import { ContentStore } from "../storage/content/content.ts";
import type { Digest } from "../storage/digest.ts";
import type { LayerStore } from "../storage/layers/types.ts";
import type { Layout } from "../storage/layout.ts";
import type { LookUpOptions, RemoteImage } from "./distribution.ts";
import { Garbage } from "./garbage.ts";
import { hostImage, hostImageName } from "./host.ts";
import { findImage, isPart } from "./lookup.ts";
import type { ImageManifest } from "./manifests.ts";
import type { WantedIndex } from "./push/push-index.ts";
import { ImageRecords } from "./records.ts";
import { planRemoval } from "./removal.ts";
import type { ServeImages } from "./serve/serve.ts";
import type { RegistryServer } from "./serve/server.ts";
import { Settling } from "./settling.ts";
import type { ImageTools } from "./tools.ts";
import type {
  CreateImage,
  ImageStore,
  LoadedImage,
  LoadOptions,
  Platform,
  PullOptions,
  PushOptions,
  Removal,
  RemoveOptions,
  StoredImage,
} from "./types.ts";

export interface ImagesOptions {
  readonly layout: Layout;
  readonly db: DatabaseSync;
  readonly layers: LayerStore;
  /** Made in `layout.content` when absent. */
  readonly content?: ContentStore | undefined;
  /** "host", "host:port" or "network/bits". */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Per registry domain, hosts to ask first. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Where the configuration of registries is; none is read when absent. */
  readonly registryConfig?: string | undefined;
  /** How many blobs are pushed at a time; 5 when absent. */
  readonly uploads?: number | undefined;
  /** How long broken connections and refusals that may heal are borne. */
  readonly patience?: Patience | undefined;
  /** Told of every request to a registry; see `Exchange`. */
  readonly trace?: ((exchange: Exchange) => void) | undefined;
}

/**
 * Opens the images of a root. What a crash left is deleted in the background; pulls and removals wait for that, looking
 * up does not.
 */
export function openImages(options: ImagesOptions): ImageStore {
  mkdirSync(options.layout.root, { recursive: true, mode: 0o711 });
  return new StoredImages(options);
}

class StoredImages implements ImageStore {
  readonly #options: ImagesOptions;
  readonly #content: ContentStore;
  readonly #records: ImageRecords;
  readonly #garbage: Garbage;
  readonly #settling: Settling;
  readonly #host: StoredImage = hostImage();
  readonly #swept: Promise<void>;
  #tools: Promise<ImageTools> | undefined;
  #list: { readonly of: readonly StoredImage[]; readonly all: StoredImage[] } | undefined;

  constructor(options: ImagesOptions) {
    this.#options = options;
    this.#content = options.content ?? new ContentStore(options.layout.content);
    this.#records = new ImageRecords(options.db);
    this.#garbage = new Garbage(this.#content, options.layers, this.#records);
    const { layers } = options;
    this.#settling = new Settling({ content: this.#content, layers, records: this.#records, garbage: this.#garbage });
    this.#swept = this.#sweep();
    this.#swept.catch(() => undefined);
  }

  async pull(reference: Reference, options: PullOptions): Promise<StoredImage> {
    if (reference.familiar === hostImageName) {
      options.progress({ status: `Status: Image is up to date for ${hostImageName}` });
      return this.#host;
    }
    this.#refuseHostName(reference);
    const [tools, { pullImage }] = await Promise.all([this.tools(), import("./pull.ts")]);
    return await pullImage(tools, reference, options);
  }

  async push(reference: Reference, options: PushOptions): Promise<void> {
    this.#refuseHostName(reference);
    const [tools, { pushImages }] = await Promise.all([this.tools(), import("./push/push.ts")]);
    await pushImages(tools, reference, options);
  }

  async serve(options: ServeImages): Promise<RegistryServer> {
    const [tools, { serveImages }] = await Promise.all([this.tools(), import("./serve/serve.ts")]);
    return await serveImages(tools, this.#options.db, options);
  }

  async tagsOf(reference: Reference, options: Parameters<ImageStore["tagsOf"]>[1]): Promise<string[]> {
    const { registry } = await this.tools();
    return await (await registry.repository(reference, options.auth, options.signal)).tags(options.signal);
  }

  async lookUp(name: string, options: Parameters<ImageStore["lookUp"]>[1]): Promise<RemoteImage> {
    const [tools, { lookUpRemote }] = await Promise.all([this.tools(), import("./distribution.ts")]);
    return await lookUpRemote(tools, name, options);
  }

  search: ImageStore["search"] = async (text, options) => (await this.tools()).registry.search(text, options);

  async pushIndex(index: WantedIndex, options: LookUpOptions): Promise<Digest> {
    const [tools, { pushIndex }] = await Promise.all([this.tools(), import("./push/push-index.ts")]);
    return await pushIndex(tools, index, options);
  }

  async load(archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<LoadedImage[]> {
    const [tools, { loadArchive }] = await Promise.all([this.tools(), import("./load/load.ts")]);
    return await loadArchive(tools, archive, options);
  }

  async create(image: CreateImage): Promise<StoredImage> {
    if (image.reference !== undefined) this.#refuseHostName(image.reference);
    const [tools, { createImage }] = await Promise.all([this.tools(), import("./create/create.ts")]);
    return await createImage(tools, image);
  }

  async save(names: readonly string[], platform?: Platform): Promise<AsyncGenerator<Uint8Array>> {
    const [tools, { saveImages }] = await Promise.all([this.tools(), import("./save/save.ts")]);
    return await saveImages(tools, this.list(), names, platform);
  }

  resolve(nameOrId: string, platform?: Platform): StoredImage {
    return findImage(this.list(), nameOrId, platform).image;
  }

  list(): StoredImage[] {
    const of = this.#records.visible();
    if (this.#list?.of !== of) this.#list = { of, all: [...of, this.#host] };
    return this.#list.all;
  }

  async manifestsOf(image: StoredImage): Promise<ImageManifest[]> {
    if (image.virtual !== undefined) return [];
    const [tools, { manifestsOf }] = await Promise.all([this.tools(), import("./manifests.ts")]);
    return await manifestsOf(tools, image);
  }

  async remove(nameOrId: string, options: RemoveOptions): Promise<Removal[]> {
    await this.#swept;
    const { image, reference } = findImage(this.list(), nameOrId);
    const ids = [image.id, ...this.#partsOf(image)];
    const users = ids.flatMap((id) => options.inUse(id));
    const plan = planRemoval({ image, written: nameOrId, reference, force: options.force, users });
    const records: Removal[] = plan.untag.map((untagged) => ({ untagged }));
    const gone = this.#records.change(() => {
      for (const name of plan.untag) this.#records.dropName(image.id, name);
      if (!plan.delete) return undefined;
      if (users.length === 0) return ids.map((id) => this.#records.delete(id));
      for (const id of ids) this.#records.hide(id);
      return [];
    });
    if (gone !== undefined) {
      records.push(...ids.map((deleted) => ({ deleted })));
      const blobs = gone.flatMap((one) => one.blobs);
      const chains = gone.flatMap((one) => one.chains);
      const layers = await this.#garbage.collect(blobs, chains);
      records.push(...layers.map((deleted) => ({ deleted })));
    }
    await this.#syncIndex();
    return records;
  }

  tag(nameOrId: string, reference: Reference): void {
    this.#refuseHostName(reference);
    const { image, target } = findImage(this.list(), nameOrId);
    if (image.id === this.#host.id) {
      throw new SampanError(
        "unsupported",
        `Cannot tag ${hostImageName}: it is a view of this machine, not a stored image`,
      );
    }
    if (reference.digest !== undefined || reference.tag === undefined) {
      throw new SampanError("invalid", "refusing to create a tag with a digest reference");
    }
    this.#records.addName(image.id, reference.familiar, { target });
    // A failure is made up for by the next change, and by the next start.
    this.#syncIndex().catch(() => undefined);
  }

  async collect(inUse: RemoveOptions["inUse"]): Promise<void> {
    if (this.#records.hidden().length === 0) return;
    await this.#swept;
    for (const { id } of this.#records.hidden()) {
      if (inUse(id).length > 0) continue;
      const gone = this.#records.delete(id);
      await this.#garbage.collect(gone.blobs, gone.chains);
    }
  }

  async collectInterrupted(): Promise<number> {
    await this.#swept;
    return await this.#garbage.collectInterrupted();
  }

  settling(id: Digest): Promise<void> | undefined {
    return this.#settling.of(id);
  }

  async #sweep(): Promise<void> {
    await this.#settling.recover(this.#garbage.sweep());
    await this.#syncIndex();
  }

  /** Images that are here for an index's sake, and go with the image that has its names. */
  #partsOf({ id }: StoredImage): Digest[] {
    const parts = this.#records.visible().filter((image) => isPart(image) && image.id !== id);
    return parts.filter(({ indexes }) => indexes.every(({ main }) => main === id)).map((image) => image.id);
  }

  #refuseHostName({ familiarName }: Reference): void {
    if (`${familiarName}:latest` !== hostImageName) return;
    throw new SampanError(
      "conflict",
      `Cannot use the name ${familiarName}: it means this machine's own root file system`,
    );
  }

  /** Registry client, schemas and unpacking are loaded when first needed: starting and listing must be quick. */
  async tools(): Promise<ImageTools> {
    this.#tools ??= this.#makeTools();
    await this.#swept;
    return await this.#tools;
  }

  async #makeTools(): Promise<ImageTools> {
    const { makeTools } = await import("./make-tools.ts");
    const { layers, uploads, insecureRegistries, mirrors, patience, trace, registryConfig } = this.#options;
    const own = { content: this.#content, layers, records: this.#records, garbage: this.#garbage };
    return makeTools(
      { ...own, settling: this.#settling, syncIndex: () => this.#syncIndex() },
      { uploads, insecureRegistries, mirrors, patience, trace, configDirectory: registryConfig },
    );
  }

  /** index.json names every image, under the annotation that containerd and skopeo read. */
  #syncIndex(): Promise<void> {
    const images = new Map(this.#records.visible().map((image) => [image.id, image]));
    const manifests = this.#records.manifests().flatMap(({ image, mediaType, digest, size }) => {
      const { names = [], targets = {} } = images.get(image) ?? {};
      const own = { mediaType, digest, size };
      const named = names.map((name) => {
        const target = targets[name];
        const index = target && this.#records.indexOf(target);
        const annotations = { [refName]: parseReference(name).canonical };
        return { ...(index ? { ...index, digest: target } : own), annotations };
      });
      return named.length === 0 ? [own] : named;
    });
    return this.#content.writeIndex(manifests);
  }
}
