import { SampanError } from "../../errors/index.ts";
import { parseReference } from "../../registry/reference.ts";
import type { Reference } from "../../registry/types.ts";
import type { Hold } from "../garbage.ts";
import { hostImageName } from "../host.ts";
import { formatPlatform, suitability } from "../platform.ts";
import { obtainImages } from "../stack.ts";
import { checkPlatform, withPlatform } from "../suits.ts";
import type { ImageTools } from "../tools.ts";
import type { LoadedImage, LoadOptions, Platform, StoredImage } from "../types.ts";
import { readDockerArchive } from "./docker-archive.ts";
import type { FoundImage } from "./found-image.ts";
import { keptManifests } from "./kept-manifests.ts";
import { readOciLayout, readWholeIndexes } from "./oci-layout.ts";
import { type Spool, spoolArchive } from "./spool.ts";

/** Stores the images of an archive; see `ImageStore.load`. */
export async function loadArchive(
  tools: ImageTools,
  archive: AsyncIterable<Uint8Array>,
  options: LoadOptions,
): Promise<LoadedImage[]> {
  const hold = tools.garbage.hold();
  try {
    const spool = await spoolArchive(tools, hold, archive, options.signal);
    const images = forPlatform(await readImages(tools, hold, spool, options.platform), options.platform);
    const loaded: LoadedImage[] = [];
    for (const found of images) loaded.push(await store(tools, hold, found, options));
    return loaded;
  } finally {
    // What was spooled and belongs to no image goes, and everything does after an error.
    await tools.garbage.release(hold, false);
  }
}

/** An archive of docker ≥ 25 is both: manifest.json knows the names better. */
async function readImages(tools: ImageTools, hold: Hold, spool: Spool, platform?: Platform): Promise<FoundImage[]> {
  const manifestJson = spool.find("manifest.json");
  const indexJson = spool.find("index.json");
  // Nobody has asked for a part of it.
  const whole =
    indexJson === undefined || platform !== undefined ? [] : await readWholeIndexes(tools.content, spool, indexJson);
  const ids = new Set(whole.flatMap(({ id, whole }) => [id, ...(whole?.others ?? []).map((other) => other.id)]));
  const besides = (images: FoundImage[]) => [...whole, ...images.filter(({ id }) => !ids.has(id))];
  if (manifestJson !== undefined) {
    const kept = indexJson === undefined ? new Map() : await keptManifests(tools.content, spool, indexJson);
    return besides(await readDockerArchive(tools, hold, spool, { manifestJson, kept }));
  }
  if (indexJson !== undefined) return besides(await readOciLayout(tools.content, spool, { indexJson, platform }));
  const wanted = "it has neither manifest.json (docker-archive) nor index.json (OCI layout)";
  throw new SampanError("invalid", `Cannot load the archive: ${wanted}`);
}

function forPlatform(images: FoundImage[], platform: Platform | undefined): FoundImage[] {
  if (platform === undefined) return images;
  const suitable = images.filter(({ config }) => suitability(platform, withPlatform(config)) !== undefined);
  if (suitable.length > 0) return suitable;
  throw new SampanError("not-found", `Cannot load the archive: it has no image for ${formatPlatform(platform)}`);
}

async function store(tools: ImageTools, hold: Hold, found: FoundImage, options: LoadOptions): Promise<LoadedImage> {
  const references = found.names.map(checkedName);
  const name = found.names[0] ?? found.id;
  const { whole } = found;
  const images = [found, ...(whole?.others ?? [])].map((image) => ({
    ...image,
    config: withPlatform(image.config),
    name,
  }));
  for (const { config } of images) checkPlatform(config, name);
  const progress: LoadOptions["progress"] = (line) => {
    if (line.status === "Loading layer") options.progress(line);
  };
  const nameIt = () => {
    if (whole !== undefined) tools.records.insertIndex({ ...whole, images: images.map(({ id }) => id) });
    for (const { familiar } of references) tools.records.addName(found.id, familiar, { target: whole?.digest });
  };
  const known = tools.records.byId(found.id);
  // It may have come from a registry, with other blobs of the same layers: those are kept.
  if (known !== undefined && whole === undefined)
    return { image: await renamed(tools, known, nameIt), names: references.map(familiarOf) };
  await obtainImages(tools, hold, images, { unpacking: "Loading layer", progress, signal: options.signal }, nameIt);
  const image = tools.records.byId(found.id);
  if (image === undefined) throw new SampanError("conflict", `Image ${name} was removed while it was stored`);
  return { image, names: references.map(familiarOf) };
}

async function renamed(tools: ImageTools, image: StoredImage, nameIt: () => void): Promise<StoredImage> {
  tools.records.change(nameIt);
  await tools.syncIndex();
  return tools.records.byId(image.id) ?? image;
}

function familiarOf({ familiar }: Reference): string {
  return familiar;
}

function checkedName(written: string): Reference {
  const reference = parseReference(written);
  if (reference.tag === undefined || reference.digest !== undefined || reference.familiar === hostImageName) {
    throw new SampanError(
      "invalid",
      `Cannot load the archive: ${JSON.stringify(written)} cannot be the name of an image`,
    );
  }
  return reference;
}
