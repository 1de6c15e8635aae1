import { SampanError } from "../../errors/index.ts";
import { type FormattedStep, stepsMember } from "../../images/build-steps.ts";
import type { Hold } from "../../images/garbage.ts";
import { putHeld } from "../../images/made-blob.ts";
import type { Manifest } from "../../images/shapes.ts";
import { obtainImages, type WantedImage } from "../../images/stack.ts";
import { forThisMachine } from "../../images/suits.ts";
import type { ImageTools } from "../../images/tools.ts";
import type { HistoryEntry, ImageConfig, Platform, StoredImage } from "../../images/types.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Reference } from "../../registry/types.ts";
import { type Digest, digestOf } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import type { PlannedResult, VertexId } from "../plan/types.ts";
import type { Stack } from "../solve/stack.ts";
import type { Annotation } from "../types.ts";
import { annotationsOf, checkAnnotations } from "./annotations.ts";

/** What a build has come to for one platform. */
export interface Built {
  readonly result: PlannedResult;
  readonly stack: Stack;
  /** When a vertex's layer was made, in milliseconds since 1970. */
  createdAt(vertex: VertexId): number | undefined;
  /** Besides those of the Dockerfile. */
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970: no later time is in the image. */
  readonly epoch: number | undefined;
  /** What other builds may take from the image. */
  readonly steps: readonly FormattedStep[] | undefined;
}

/** How the images of a build are stored. */
interface Storing {
  readonly names: readonly Reference[];
  readonly annotations: readonly Annotation[];
  readonly signal: AbortSignal;
}

/** The images of a build, which its names stand for. */
export interface StoredBuild {
  /** The image for this machine, or else for the first platform. */
  readonly image: StoredImage;
  /** Its id; of several platforms the index's digest. */
  readonly id: Digest;
  /** What a registry will know it by. */
  readonly digest: Digest;
}

/** Stores the images of a build under its names, of several with their index: all at once, or not at all. */
export async function storeImages(
  parts: WorkParts,
  hold: Hold,
  built: readonly Built[],
  { names, annotations, signal }: Storing,
): Promise<StoredBuild> {
  const { tools } = parts;
  const { images: parted, main, index } = await putImages(tools, hold, built, annotations);
  const target = index?.digest ?? main.manifestDigest;
  const name = names[0]?.familiar ?? target;
  const related = index === undefined ? [] : [index.digest];
  // Platforms whose last stage is the same have one image.
  const images = [...new Map([main, ...parted].map((part) => [part.id, { ...part, name, related }])).values()];
  const options = { unpacking: "Loading layer", progress: () => undefined, signal } as const;
  await obtainImages(tools, hold, images, options, () => {
    if (index !== undefined) tools.records.insertIndex({ ...index, images: images.map(({ id }) => id) });
    for (const { familiar } of names) tools.records.addName(main.id, familiar, { target });
  });
  const image = tools.records.byId(main.id);
  if (image === undefined) throw new SampanError("conflict", `Image ${name} was removed while it was stored`);
  return { image, id: index?.digest ?? main.id, digest: target };
}

/** Of one platform: what is in the content store. */
interface Part extends Omit<WantedImage, "name" | "related"> {
  readonly target: Platform;
}

/** The documents that a build comes to. */
interface PutImages {
  readonly images: readonly Part[];
  /** The image for this machine, or else for the first platform. */
  readonly main: Part;
  /** Of several platforms. */
  readonly index: { readonly digest: Digest; readonly mediaType: string; readonly size: number } | undefined;
}

/** Puts the configurations and manifests of a build into the content store, held; they are no images by that. */
export async function putImages(
  tools: ImageTools,
  hold: Hold,
  built: readonly Built[],
  annotations: readonly Annotation[],
): Promise<PutImages> {
  checkAnnotations(annotations, built.length);
  const images: Part[] = [];
  for (const one of built) images.push(await putImage(tools, hold, one, annotations));
  const main = forThisMachine(images);
  if (main === undefined) throw new SampanError("internal", "Cannot store a build: it has no result");
  const index = images.length > 1 ? await putIndex(tools, hold, images, annotations) : undefined;
  return { images, main, index };
}

async function putImage(
  tools: ImageTools,
  hold: Hold,
  built: Built,
  annotations: readonly Annotation[],
): Promise<Part> {
  const config = configOf(built);
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(configBytes), size: configBytes.length },
    layers: built.stack.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  const said = annotationsOf(annotations, "manifest", built.result.target);
  const bytes = Buffer.from(JSON.stringify({ ...manifest, ...said }));
  const id = await putHeld(tools, hold, configBytes);
  const manifestDigest = await putHeld(tools, hold, bytes);
  const described = { manifest, manifestDigest, manifestSize: bytes.length, mediaType: mediaTypes.ociManifest };
  return { id, config, ...described, target: built.result.target };
}

async function putIndex(tools: ImageTools, hold: Hold, parts: readonly Part[], annotations: readonly Annotation[]) {
  const manifests = parts.map(({ mediaType, manifestDigest, manifestSize, target }) => {
    const { os, architecture, variant } = target;
    const platform = { architecture, os, ...(variant && { variant }) };
    const said = annotationsOf(annotations, "manifest-descriptor", target);
    return { mediaType, digest: manifestDigest, size: manifestSize, platform, ...said };
  });
  const mediaType = mediaTypes.ociIndex;
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, manifests, ...annotationsOf(annotations, "index") }),
  );
  return { digest: await putHeld(tools, hold, bytes), mediaType, size: bytes.length };
}

/** The image's configuration: that of the Dockerfile on top of its base's. */
export function configOf({ result, stack, createdAt, labels, epoch, steps }: Built): ImageConfig {
  const { os, architecture, variant } = result.platform;
  const history = dated(result, createdAt, epoch);
  const Labels = { ...result.config.Labels, ...labels };
  return {
    created: history.at(-1)?.created ?? timeText(epoch === undefined ? Date.now() : epoch * 1000),
    ...(result.author && { author: result.author }),
    architecture,
    os,
    ...(variant && { variant }),
    config: { ...withoutUndefined(result.config), ...(Object.keys(Labels).length > 0 && { Labels }) },
    rootfs: { type: "layers", diff_ids: stack.layers.map(({ diffId }) => diffId) },
    history,
    ...(steps && { [stepsMember]: steps }),
  };
}

/**
 * Times of the history, as BuildKit gives them: a layer's is when it was made; what made none has that of the last layer
 * before it that this build has made, or else of the first one after it.
 */
function dated(result: PlannedResult, createdAt: Built["createdAt"], epoch: number | undefined): HistoryEntry[] {
  const inherited = result.base?.history.length ?? 0;
  const own = result.history.slice(inherited);
  const times = own.map(({ vertex }) => (vertex === undefined ? undefined : createdAt(vertex)));
  let last = times.find((time) => time !== undefined);
  const usual = Date.parse(result.history[inherited - 1]?.created ?? "");
  const entries = own.map(({ vertex: _vertex, ...entry }, index): HistoryEntry => {
    last = times[index] ?? last;
    const time = last ?? (Number.isNaN(usual) ? Date.now() : usual);
    return { created: timeText(epoch === undefined ? time : Math.min(time, epoch * 1000)), ...entry };
  });
  return [...(result.base?.history ?? []), ...entries];
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
