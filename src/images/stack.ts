import { orCancelled } from "../errors/cancel.ts";
import { SampanError } from "../errors/index.ts";
import { chainIds, type Digest } from "../storage/digest.ts";
import type { BlobSource } from "./download.ts";
import type { Hold } from "./garbage.ts";
import { LayerFlight, type LayerOptions, type WantedLayer } from "./layer.ts";
import type { NewImage } from "./records.ts";
import type { Manifest } from "./shapes.ts";
import type { Membership } from "./shared.ts";
import type { ImageTools } from "./tools.ts";
import type { ImageConfig, Progress, StoredImage, StoredLayer } from "./types.ts";

/** Everything that is known of an image before its layers are here. */
export interface WantedImage {
  /** For errors. */
  readonly name: string;
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly manifest: Manifest;
  readonly manifestDigest: Digest;
  readonly manifestSize: number;
  readonly mediaType: string;
  /** Further blobs that belong to it: the index it was chosen from. */
  readonly related: readonly Digest[];
}

export interface ObtainOptions {
  readonly source?: BlobSource | undefined;
  readonly unpacking: LayerOptions["unpacking"];
  progress(line: Progress): void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings all layers of an image into the stores, side by side, and then writes its row. `names` runs in the same
 * transaction: an image is seen complete and with its name, or not at all.
 */
export async function obtainImage(
  tools: ImageTools,
  hold: Hold,
  image: WantedImage,
  options: ObtainOptions,
  names: () => void,
): Promise<StoredImage> {
  await obtainImages(tools, hold, [image], options, names);
  const stored = tools.records.byId(image.id);
  if (stored === undefined) throw new SampanError("conflict", `Image ${image.name} was removed while it was stored`);
  return stored;
}

/** The same of several images at once: all of them are seen, or none. */
export async function obtainImages(
  tools: ImageTools,
  hold: Hold,
  images: readonly WantedImage[],
  options: ObtainOptions,
  names: () => void,
): Promise<void> {
  const rows: NewImage[] = [];
  for (const image of images) {
    const { id, config, manifestDigest, mediaType, manifestSize } = image;
    const wanted = wantedLayers(image);
    const blobs = [id, manifestDigest, ...image.related, ...wanted.map(({ blob }) => blob.digest)];
    await tools.garbage.add(
      hold,
      blobs,
      wanted.map(({ chainId }) => chainId),
    );
    const layers = await obtainLayers(tools, wanted, options);
    rows.push({ id, config, manifest: { digest: manifestDigest, mediaType, size: manifestSize }, layers, blobs });
  }
  // Their layers may be those of an image that was just made.
  await tools.settling.all();
  const all = new Set(rows.flatMap(({ blobs }) => blobs));
  await tools.content.sync([...all].filter((digest) => !tools.records.usesBlob(digest)));
  tools.records.change(() => {
    for (const row of rows) tools.records.insert(row);
    names();
  });
  await tools.syncIndex();
}

function wantedLayers({ manifest, config, name }: WantedImage): WantedLayer[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    const counts = `${manifest.layers.length} layers in its manifest, ${diffIds.length} in its config`;
    throw new SampanError("invalid", `Cannot use image ${name}: ${counts}`);
  }
  const chains = chainIds(diffIds);
  return manifest.layers.flatMap(({ digest, size }, i) => {
    const [diffId, chainId] = [diffIds[i], chains[i]];
    return diffId && chainId ? [{ blob: { digest, size }, diffId, chainId, parents: chains.slice(0, i) }] : [];
  });
}

/** Brings layers into the stores, bottom first; those below them must be there. */
export async function obtainLayers(
  tools: ImageTools,
  wanted: readonly WantedLayer[],
  o: ObtainOptions,
): Promise<StoredLayer[]> {
  const members: Membership<LayerFlight>[] = [];
  const listening: (() => void)[] = [];
  try {
    for (const layer of wanted) {
      const below = members.map(({ flight }) => flight.done);
      const member = await tools.flights.join(layer.chainId, (signal) => {
        const parentsReady = Promise.all(below);
        return new LayerFlight(tools, layer, { ...o, signal, parentsReady });
      });
      members.push(member);
      listening.push(member.flight.feed.listen((line) => o.progress(line)));
    }
    return await orCancelled(Promise.all(members.map(({ flight }) => flight.done)), o.signal);
  } finally {
    for (const stop of listening) stop();
    await Promise.all(members.map((member) => member.leave()));
  }
}
