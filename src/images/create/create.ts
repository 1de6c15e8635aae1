import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Reference } from "../../registry/types.ts";
import { type DiffId, type Digest, digestOf } from "../../storage/digest.ts";
import type { Hold } from "../garbage.ts";
import { documentLimit, type Manifest, parseDocument } from "../shapes.ts";
import { obtainImage } from "../stack.ts";
import type { ImageTools } from "../tools.ts";
import type { HistoryEntry, ImageConfig, ImageDefaults, Platform, StoredImage } from "../types.ts";
import { type LayerBlob, storeLayerBlob } from "./layer-blob.ts";

/** An image that is made here: one more layer on another image, or on nothing. */
export interface CreateImage {
  /** The id of the image below. */
  readonly parent?: Digest | undefined;
  /** The uncompressed tar of the new layer. */
  readonly layer: AsyncIterable<Uint8Array>;
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
    const stored = await storeLayerBlob(tools, hold, wanted.layer, wanted.signal);
    const blob = stored.isEmpty ? undefined : stored;
    const config = configOf(wanted, parent?.image, blob?.diffId);
    const configBytes = Buffer.from(JSON.stringify(config));
    const id = await put(tools, hold, configBytes);
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: id, size: configBytes.length },
      layers: [...(parent?.layers ?? []), ...(blob === undefined ? [] : [descriptorOf(blob)])],
    };
    const manifestBytes = Buffer.from(JSON.stringify(manifest));
    const manifestDigest = await put(tools, hold, manifestBytes);
    const described = {
      manifest,
      manifestDigest,
      manifestSize: manifestBytes.length,
      mediaType: mediaTypes.ociManifest,
    };
    const { reference, signal } = wanted;
    return await obtainImage(
      tools,
      hold,
      { name: reference?.familiar ?? id, id, config, ...described, related: [] },
      { unpacking: "Loading layer", progress: () => undefined, signal },
      () => {
        if (reference !== undefined) tools.records.addName(id, reference.familiar);
      },
    );
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

function descriptorOf({ mediaType, digest, size }: LayerBlob): Manifest["layers"][number] {
  return { mediaType, digest, size };
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

async function put({ content, garbage }: ImageTools, hold: Hold, bytes: Buffer): Promise<Digest> {
  const digest = digestOf(bytes);
  await garbage.add(hold, [digest]);
  return await content.put(bytes);
}
