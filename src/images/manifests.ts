import type { Digest } from "../storage/digest.ts";
import { readPlan } from "./push/plan.ts";
import { documentLimit, isAttestationEntry, type Manifest, parseDocument } from "./shapes.ts";
import type { ImageTools } from "./tools.ts";
import type { Platform, StoredImage } from "./types.ts";

/** One manifest of what a name stands for, here or not. */
export interface ImageManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of the manifest itself. */
  readonly size: number;
  readonly platform: Platform | undefined;
  /** An attestation says something about another manifest. */
  readonly isAttestation: boolean;
  /** The image that it is here; undefined: it is not. */
  readonly image: StoredImage | undefined;
  /** Bytes of it, its config and its layers in the content store. */
  readonly contentSize: number;
}

/** What an image's name stands for: the entries of the index it came with, those that are not here, too; else its one manifest. */
export async function manifestsOf(tools: ImageTools, image: StoredImage): Promise<ImageManifest[]> {
  const rows = new Map(tools.records.manifests().map((row) => [row.digest, row.image]));
  const made = Object.values(image.targets).find((target) => image.indexes.some(({ digest }) => digest === target));
  const { root, partOf, children } = await readPlan(tools, image, made);
  const document = parseDocument(children.length > 0 ? root.bytes : (partOf ?? root).bytes, image.id);
  if (document.kind === "manifest") {
    const { digest, mediaType, bytes } = root;
    const contentSize = contentOf(document.manifest, bytes.length);
    return [
      { digest, mediaType, size: bytes.length, platform: image.config, isAttestation: false, image, contentSize },
    ];
  }
  const found: ImageManifest[] = [];
  for (const { digest, mediaType, size, platform, annotations } of document.index.manifests) {
    const id = rows.get(digest);
    const here = id === undefined ? undefined : tools.records.byId(id);
    const isAttestation = isAttestationEntry({ annotations });
    const contentSize = here === undefined ? 0 : await contentAt(tools, digest);
    found.push({ digest, mediaType, size, platform, isAttestation, image: here, contentSize });
  }
  return found;
}

async function contentAt({ content }: ImageTools, digest: Digest): Promise<number> {
  const bytes = await content.readSmall(digest, documentLimit);
  const document = parseDocument(bytes, digest);
  return document.kind === "manifest" ? contentOf(document.manifest, bytes.length) : bytes.length;
}

function contentOf({ config, layers }: Manifest, own: number): number {
  return own + config.size + layers.reduce((sum, { size }) => sum + size, 0);
}
