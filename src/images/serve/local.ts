import { createReadStream } from "node:fs";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Digest } from "../../storage/digest.ts";
import { readPlan } from "../push/plan.ts";
import { documentLimit, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import { imagesAt, repositoriesOf } from "./names.ts";
import type { Asked, Origin, ServedBlob, ServedDocument } from "./origin.ts";

/** The images that are here. Blobs that belong to no image are nobody's business. */
export class LocalOrigin implements Origin {
  readonly #tools: ImageTools;

  constructor(tools: ImageTools) {
    this.#tools = tools;
  }

  repositories(): string[] {
    return repositoriesOf(this.#tools.records.visible());
  }

  async tags({ repository, ns }: Asked): Promise<string[] | undefined> {
    const found = imagesAt(this.#tools.records.visible(), repository, ns);
    if (found.length === 0) return undefined;
    return [...new Set(found.map(({ name }) => name.tag ?? "latest"))].sort();
  }

  async documents({ repository, ns }: Asked, tag: string): Promise<ServedDocument[]> {
    const found = imagesAt(this.#tools.records.visible(), repository, ns).find(({ name }) => name.tag === tag);
    if (found === undefined) return [];
    const { root, children } = await readPlan(this.#tools, found.image, found.image.targets[found.name.familiar]);
    const own = this.#tools.records.manifestOf(found.image.id)?.digest;
    return [root, ...children.filter(({ digest }) => digest === own)];
  }

  async document(_asked: Asked, digest: Digest): Promise<ServedDocument | undefined> {
    const { records, content } = this.#tools;
    if (!records.usesBlob(digest) || !content.has(digest)) return undefined;
    return await readStoredDocument(content, digest);
  }

  async blob(_asked: Asked, digest: Digest): Promise<ServedBlob | undefined> {
    const { records, content } = this.#tools;
    if (!records.usesBlob(digest) || !content.has(digest)) return undefined;
    return await storedBlob(content, digest);
  }
}

/** A manifest or index of the content store; undefined for any other blob. */
export async function readStoredDocument(
  content: ImageTools["content"],
  digest: Digest,
): Promise<ServedDocument | undefined> {
  if ((await content.sizeOf(digest)) > documentLimit) return undefined;
  const bytes = await content.readSmall(digest, documentLimit);
  try {
    const document = parseDocument(bytes, digest);
    const said = document.kind === "index" ? document.index.mediaType : document.manifest.mediaType;
    return {
      digest,
      mediaType: said ?? (document.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest),
      bytes,
    };
  } catch {
    return undefined;
  }
}

/** A blob of the content store. Who reads it has it open, and reads on when it is removed meanwhile. */
export async function storedBlob(content: ImageTools["content"], digest: Digest): Promise<ServedBlob> {
  const path = content.pathOf(digest);
  return {
    size: await content.sizeOf(digest),
    // Opened by who reads: a client may have left before that.
    read: async function* (start, end) {
      yield* createReadStream(path, { start, end, highWaterMark: 512 * 1024 });
    },
  };
}
