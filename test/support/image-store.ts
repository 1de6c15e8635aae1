import assert from "node:assert/strict";
import { globSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type ImagesOptions, openImages } from "../../src/images/store.ts";
import type { ImageStore, Progress, PullOptions, PushedTag, PushOptions, StoredImage } from "../../src/images/types.ts";
import type { Executor } from "../../src/kernel/executor.ts";
import { parseReference } from "../../src/registry/reference.ts";
import type { Exchange } from "../../src/registry/trace.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { openLayerStore } from "../../src/storage/layers/store.ts";
import type { LayerStore } from "../../src/storage/layers/types.ts";
import { type Layout, layoutOf } from "../../src/storage/layout.ts";
import { makeExecutor } from "./executor.ts";
import { dockerArchive, type TestImage } from "./images.ts";
import { leftovers } from "./leaks.ts";
import { removeTree } from "./sandbox.ts";

type ImageBoxOptions = Partial<
  Pick<ImagesOptions, "insecureRegistries" | "mirrors" | "patience" | "registryConfig" | "uploads">
> & {
  /** An existing empty directory instead of a new temporary one. */
  readonly directory?: string;
};

/** An image store without a daemon around it, on the real layer store, below one temporary directory. */
export class ImageBox {
  readonly directory: string;
  readonly layout: Layout;
  /** Every request that went to a registry. */
  readonly exchanges: Exchange[] = [];
  images: ImageStore;
  layers: LayerStore;
  #executor: Executor;
  #db: ReturnType<typeof openDatabase>;
  readonly #options: ImageBoxOptions;

  constructor(options: ImageBoxOptions = {}) {
    this.directory = options.directory ?? mkdtempSync(join(tmpdir(), "sampan-"));
    this.layout = layoutOf({ root: join(this.directory, "root"), run: join(this.directory, "run") });
    this.#options = options;
    mkdirSync(this.layout.root);
    mkdirSync(this.layout.run);
    this.#executor = makeExecutor(this.layout.executorSocket);
    this.#db = openDatabase(this.layout.stateDb);
    this.layers = openLayerStore({ directory: this.layout.layers, executor: this.#executor });
    this.images = this.#open();
  }

  /** As after the daemon's end and new start. */
  async restart(): Promise<void> {
    this.#db.close();
    this.#db = openDatabase(this.layout.stateDb);
    await this.layers.sweep();
    this.images = this.#open();
  }

  #open(): ImageStore {
    const { layout, layers } = this;
    const trace = (exchange: Exchange) => this.exchanges.push(exchange);
    return openImages({
      patience: { attempts: 4, base: 20, max: 2000 },
      ...this.#options,
      layout,
      db: this.#db,
      layers,
      trace,
    });
  }

  /** Pulls and collects the lines that Docker would print. */
  async pull(name: string, options: Partial<PullOptions> = {}): Promise<{ image: StoredImage; lines: Progress[] }> {
    const lines: Progress[] = [];
    const progress = (line: Progress) => lines.push(line);
    const image = await this.images.pull(parseReference(name), { progress, ...options });
    return { image, lines };
  }

  /** Pushes and collects the lines that Docker would print, and what the registry has then. */
  async push(name: string, options: Partial<PushOptions> = {}): Promise<{ lines: Progress[]; pushed: PushedTag[] }> {
    const lines: Progress[] = [];
    const pushed: PushedTag[] = [];
    await this.images.push(parseReference(name), {
      allTags: false,
      progress: (line) => lines.push(line),
      pushed: (tag) => pushed.push(tag),
      ...options,
    });
    return { lines, pushed };
  }

  /** Loads an image under the names. */
  async load(image: TestImage, ...names: string[]): Promise<StoredImage> {
    const archive = await dockerArchive(image, names);
    const [loaded] = await this.images.load(Readable.from([archive]), { progress: () => undefined });
    assert.ok(loaded);
    return loaded.image;
  }

  /** Names of the files and directories that images consist of, to see that nothing is left. */
  files(): string[] {
    const below = (pattern: string) => globSync(pattern, { cwd: this.layout.root });
    return [...below("content/blobs/*/*"), ...below("content/ingest/*"), ...below("layers/*")].sort();
  }

  /** Ends everything and leaves the directory. */
  async end(): Promise<void> {
    await this.#executor.close();
    this.#db.close();
  }

  /** Ends everything, checks that nothing is left on the machine and deletes the directory. */
  async close(): Promise<void> {
    await this.end();
    assert.deepEqual(leftovers(this.layout), [], "left behind on the machine");
    await removeTree(this.directory);
  }
}
