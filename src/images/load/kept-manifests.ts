import { SampanError } from "../../errors/index.ts";
import type { ContentStore } from "../../storage/content/content.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Blob } from "../download.ts";
import { type Descriptor, documentLimit, parseDocument } from "../shapes.ts";
import type { FoundImage } from "./found-image.ts";
import { describe, readDocument } from "./oci-layout.ts";
import type { Spool } from "./spool.ts";

export type KeptManifest = Omit<FoundImage, "related" | "names">;

/** Indexes within indexes that are followed. */
const deepest = 4;

/**
 * The manifests of a docker-archive that is an OCI layout, too, by the image's id. With them an image keeps its digest, and
 * what its layers' descriptors say of them. manifest.json says what is loaded: what is wrong or missing in the layout beside
 * it is passed over.
 */
export async function keptManifests(
  content: ContentStore,
  spool: Spool,
  indexJson: Blob,
): Promise<ReadonlyMap<Digest, KeptManifest>> {
  const kept = new Map<Digest, KeptManifest>();
  const follow = async (at: Descriptor, depth: number): Promise<void> => {
    const document = await readDocument(content, spool, at, at.digest);
    if (document.kind === "manifest") {
      const described = await describe(content, spool, { at, manifest: document.manifest, name: at.digest });
      if (!kept.has(described.id)) kept.set(described.id, described);
    } else if (depth < deepest) {
      for (const entry of document.index.manifests) await passingOver(follow(entry, depth + 1));
    }
  };
  const root = parseDocument(await content.readSmall(indexJson.digest, documentLimit), "index.json of the archive");
  if (root.kind === "manifest") return kept;
  for (const entry of root.index.manifests) await passingOver(follow(entry, 0));
  return kept;
}

async function passingOver(reading: Promise<void>): Promise<void> {
  try {
    await reading;
  } catch (error) {
    if (!(error instanceof SampanError) || error.kind === "internal") throw error;
  }
}
