import { orCancelled } from "../errors/cancel.ts";
import { SampanError } from "../errors/index.ts";
import { chainIds, type Digest } from "../storage/digest.ts";
import type { BlobSource } from "./download.ts";
import type { Hold } from "./garbage.ts";
import { LayerFlight, type LayerOptions, type WantedLayer } from "./layer.ts";
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
  const wanted = wantedLayers(image);
  const blobs = [image.id, image.manifestDigest, ...image.related, ...wanted.map(({ blob }) => blob.digest)];
  await tools.garbage.add(
    hold,
    blobs,
    wanted.map(({ chainId }) => chainId),
  );
  const layers = await obtainLayers(tools, wanted, options);
  await tools.content.sync(blobs.filter((digest) => !tools.records.usesBlob(digest)));
  const { id, config, manifestDigest, mediaType, manifestSize } = image;
  const manifest = { digest: manifestDigest, mediaType, size: manifestSize };
  tools.records.change(() => {
    tools.records.insert({ id, config, manifest, layers, blobs });
    names();
  });
  await tools.syncIndex();
  const stored = tools.records.byId(id);
  if (stored === undefined) throw new SampanError("conflict", `Image ${image.name} was removed while it was stored`);
  return stored;
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
