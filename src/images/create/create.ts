import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Reference } from "../../registry/types.ts";
import { chainIds, type DiffId, type Digest } from "../../storage/digest.ts";
import type { Hold } from "../garbage.ts";
import { putHeld } from "../made-blob.ts";
import { documentLimit, type Manifest, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import type { HistoryEntry, ImageConfig, ImageDefaults, Platform, StoredImage, StoredLayer } from "../types.ts";
import { type LayerSource, type PlainLayer, storePlainLayer } from "./plain-layer.ts";

/** An image that is made here: one more layer on another image, or on nothing. */
export interface CreateImage {
  /** The id of the image below. */
  readonly parent?: Digest | undefined;
  readonly layer: LayerSource;
  readonly platform: Platform;
  readonly defaults: ImageDefaults;
  readonly author?: string | undefined;
  /** What the history says of it; `created` and `empty_layer` are filled in. */
  readonly history: HistoryEntry;
  readonly reference?: Reference | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes an image. It is there complete and with its name, or not at all. */
export async function createImage(tools: ImageTools, wanted: CreateImage): Promise<StoredImage> {
  const hold = tools.garbage.hold();
  try {
    const parent = wanted.parent === undefined ? undefined : await parentOf(tools, hold, wanted.parent);
    const below = parent?.image.layers ?? [];
    const layer = await makeLayer(tools, hold, below, wanted);
    const config = configOf(wanted, parent?.image, layer?.diffId);
    const configBytes = Buffer.from(JSON.stringify(config));
    const id = await putHeld(tools, hold, configBytes);
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: id, size: configBytes.length },
      layers: [...(parent?.layers ?? []), ...(layer === undefined ? [] : [layer.descriptor])],
    };
    const manifestBytes = Buffer.from(JSON.stringify(manifest));
    const digest = await putHeld(tools, hold, manifestBytes);
    const { records, settling } = tools;
    const row = { digest, mediaType: mediaTypes.ociManifest, size: manifestBytes.length };
    const blobs = [id, digest, ...manifest.layers.map((one) => one.digest)];
    records.change(() => {
      records.insert({ id, config, manifest: row, layers: [...below, ...(layer ? [layer.stored] : [])], blobs });
      settling.note(id);
      if (wanted.reference !== undefined) records.addName(id, wanted.reference.familiar);
    });
    settling.begin(id);
    await tools.syncIndex();
    const stored = records.byId(id);
    if (stored === undefined) throw new SampanError("conflict", `Image ${id} was removed while it was stored`);
    return stored;
  } finally {
    await tools.garbage.release(hold, false);
  }
}

/** An image that others are made on. */
export interface Parent {
  readonly image: StoredImage;
  /** As its manifest has them, of OCI's media types. */
  readonly layers: Manifest["layers"];
}

/** Finds an image that is to be built on, and holds all of it. */
export async function parentOf({ records, content, garbage }: ImageTools, hold: Hold, id: Digest): Promise<Parent> {
  const image = [...records.visible(), ...records.hidden()].find((candidate) => candidate.id === id);
  const row = records.manifestOf(id);
  if (image === undefined || row === undefined) throw new SampanError("not-found", `No such image: ${id}`);
  const chains = image.layers.map(({ chainId }) => chainId);
  await garbage.add(hold, [row.digest], chains);
  const document = parseDocument(await content.readSmall(row.digest, documentLimit), id, row.mediaType);
  if (document.kind !== "manifest")
    throw new SampanError("internal", `Cannot read the manifest of ${id}: it is an index`);
  await garbage.add(
    hold,
    document.manifest.layers.map(({ digest }) => digest),
  );
  return { image, layers: document.manifest.layers.map(asOci) };
}

/** One manifest has layers of one family of media types. */
function asOci(layer: Manifest["layers"][number]): Manifest["layers"][number] {
  if (!layer.mediaType.startsWith(mediaTypes.dockerLayer)) return layer;
  const compression = layer.mediaType.slice(mediaTypes.dockerLayer.length).replace(".", "+");
  return { ...layer, mediaType: `${mediaTypes.ociLayer}${compression}` };
}

interface MadeHere extends Pick<PlainLayer, "diffId" | "descriptor"> {
  readonly stored: StoredLayer;
}

/** Brings the new layer into both stores; undefined when nothing is in it. */
async function makeLayer(
  tools: ImageTools,
  hold: Hold,
  below: readonly StoredLayer[],
  { layer: source, signal }: CreateImage,
): Promise<MadeHere | undefined> {
  const parents = below.map(({ chainId }) => chainId);
  const layer = await storePlainLayer(tools, hold, { source, parents }, signal);
  if (layer === undefined) return undefined;
  const chainId = chainIds([...below.map(({ diffId }) => diffId), layer.diffId])[below.length];
  if (chainId === undefined) throw new SampanError("internal", "Cannot name a new layer");
  await tools.garbage.add(hold, [], [chainId]);
  const { size } = await layer.unpacked.keep(chainId);
  const { diffId, descriptor } = layer;
  return { diffId, descriptor, stored: { diffId, chainId, size } };
}

function configOf(wanted: CreateImage, parent: StoredImage | undefined, diffId: DiffId | undefined): ImageConfig {
  const created = new Date().toISOString();
  const { os, architecture, variant } = wanted.platform;
  const step = { ...wanted.history, created, ...(diffId === undefined && { empty_layer: true }) };
  return {
    created,
    ...(wanted.author && { author: wanted.author }),
    architecture,
    os,
    ...(variant && { variant }),
    config: wanted.defaults,
    rootfs: {
      type: "layers",
      diff_ids: [...(parent?.config.rootfs.diff_ids ?? []), ...(diffId === undefined ? [] : [diffId])],
    },
    history: [...(parent?.config.history ?? []), step],
  };
}
