import { open } from "node:fs/promises";
import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { ContentStore } from "../../storage/content/content.ts";
import type { Digest } from "../../storage/digest.ts";
import { formatOf } from "../decompress.ts";
import type { Blob } from "../download.ts";
import type { Garbage, Hold } from "../garbage.ts";
import { documentLimit, type Manifest, parseArchiveManifest, parseConfig } from "../shapes.ts";
import type { FoundImage } from "./found-image.ts";
import type { KeptManifest } from "./kept-manifests.ts";
import type { Spool } from "./spool.ts";

/**
 * The images of a docker-archive (`docker save`): manifest.json names config and layers of each. One that the archive has no
 * manifest of among `kept` gets an OCI manifest here.
 */
export async function readDockerArchive(
  tools: { content: ContentStore; garbage: Garbage },
  hold: Hold,
  spool: Spool,
  { manifestJson, kept }: { readonly manifestJson: Blob; readonly kept: ReadonlyMap<Digest, KeptManifest> },
): Promise<FoundImage[]> {
  const { content } = tools;
  const found: FoundImage[] = [];
  for (const entry of parseArchiveManifest(await content.readSmall(manifestJson.digest, documentLimit))) {
    const configBlob = member(spool, entry.Config);
    const config = parseConfig(await content.readSmall(configBlob.digest, documentLimit), entry.Config);
    const blobs = entry.Layers.map((name) => member(spool, name));
    const names = entry.RepoTags ?? [];
    const own = kept.get(configBlob.digest);
    if (own !== undefined && sameBlobs(own.manifest.layers, blobs)) {
      found.push({ ...own, related: [], names });
      continue;
    }
    const layers = await Promise.all(blobs.map((blob) => layerDescriptor(content, blob)));
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, ...configBlob },
      layers,
    };
    const stored = await store(tools, hold, manifest);
    found.push({
      id: configBlob.digest,
      config,
      manifest,
      ...stored,
      mediaType: mediaTypes.ociManifest,
      related: [],
      names,
    });
  }
  return found;
}

function sameBlobs(some: readonly Pick<Blob, "digest">[], others: readonly Pick<Blob, "digest">[]): boolean {
  return some.length === others.length && some.every(({ digest }, at) => digest === others[at]?.digest);
}

function member(spool: Spool, name: string): Blob {
  const blob = spool.find(name);
  if (blob !== undefined) return blob;
  throw new SampanError(
    "invalid",
    `Cannot load the archive: its manifest.json names ${JSON.stringify(name)}, which is missing`,
  );
}

async function layerDescriptor(content: ContentStore, blob: Blob): Promise<Manifest["layers"][number]> {
  const file = await open(content.pathOf(blob.digest));
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    const format = formatOf(buffer.subarray(0, bytesRead));
    return { mediaType: mediaTypes.ociLayer + (format === "none" ? "" : `+${format}`), ...blob };
  } finally {
    await file.close();
  }
}

async function store(
  { content, garbage }: { content: ContentStore; garbage: Garbage },
  hold: Hold,
  manifest: Manifest,
) {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const manifestDigest: Digest = await content.put(bytes);
  await garbage.add(hold, [manifestDigest]);
  return { manifestDigest, manifestSize: bytes.byteLength };
}
