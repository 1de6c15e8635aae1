import { SampanError } from "../../errors/index.ts";
import { mediaTypes, refName } from "../../registry/media-types.ts";
import { parseReference } from "../../registry/reference.ts";
import type { Digest } from "../../storage/digest.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import type { Hold } from "../garbage.ts";
import { findImage, type Match } from "../lookup.ts";
import { planPush } from "../push/plan.ts";
import { documentLimit, type Manifest, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";
import type { Platform, StoredImage } from "../types.ts";

/** An image that is to be saved, under some of its names. */
interface Chosen {
  readonly image: StoredImage;
  /** The index made here that is saved with all of its images. */
  readonly index: Digest | undefined;
  readonly names: string[];
}

/** What is written for some names. */
interface Part {
  readonly names: readonly string[];
  /** What index.json says: a manifest, or an index. */
  readonly root: { readonly digest: Digest; readonly mediaType: string; readonly size: number };
  readonly blobs: readonly Digest[];
  /** For readers that know no index. */
  readonly image: StoredImage;
  readonly manifest: Manifest;
}

/**
 * An archive of images as docker writes it since 25: an OCI layout that is a docker-archive at the same time. Blobs are as
 * they were pulled, digests and all. An index made here is saved whole, unless a platform is named. Errors come before the
 * first byte.
 */
export async function saveImages(
  tools: ImageTools,
  images: readonly StoredImage[],
  names: readonly string[],
  platform: Platform | undefined,
): Promise<AsyncGenerator<Uint8Array>> {
  const chosen = choose(images, names, platform);
  const hold = tools.garbage.hold();
  try {
    const parts: Part[] = [];
    for (const one of chosen) parts.push(await partOf(tools, hold, one));
    return writing(tools, parts, () => tools.garbage.release(hold, false));
  } catch (error) {
    await tools.garbage.release(hold, false);
    throw error;
  }
}

async function partOf(tools: ImageTools, hold: Hold, { image, index, names }: Chosen): Promise<Part> {
  const row = tools.records.manifestOf(image.id);
  if (row === undefined) throw new SampanError("not-found", `No such image: ${names[0] ?? image.id}`);
  const { root, children, blobs } = await planPush(tools, hold, image, index ?? row.digest);
  const bytes = await tools.content.readSmall(row.digest, documentLimit);
  const document = parseDocument(bytes, image.id, row.mediaType);
  if (document.kind === "index") throw new SampanError("internal", `Cannot save ${image.id}: it has no manifest`);
  return {
    names,
    root: { digest: root.digest, mediaType: root.mediaType, size: root.bytes.length },
    blobs: [...blobs, ...children, root].map(({ digest }) => digest),
    image,
    manifest: document.manifest,
  };
}

/** A name without a tag means all of its tags, an id the image without a name. */
function choose(images: readonly StoredImage[], names: readonly string[], platform: Platform | undefined): Chosen[] {
  const chosen = new Map<string, Chosen>();
  const add = ({ image, target }: Omit<Match, "reference">, own: readonly string[]): void => {
    if (image.virtual !== undefined) {
      throw new SampanError("unsupported", "Cannot save sampan/host: it is a view of this machine, not a stored image");
    }
    const isIndex = platform === undefined && image.indexes.some(({ digest }) => digest === target);
    const index = isIndex ? target : undefined;
    const key = index ?? image.id;
    const known = chosen.get(key) ?? { image, index, names: [] };
    for (const name of own) if (!known.names.includes(name)) known.names.push(name);
    chosen.set(key, known);
  };
  for (const written of names) {
    const tagged = /[:@]/.test(written.slice(written.lastIndexOf("/") + 1));
    const all = tagged || /^[0-9a-f]{64}$/.test(written) ? [] : tagsOf(images, written);
    for (const name of all) add(findImage(images, name, platform), [name]);
    if (all.length > 0) continue;
    const { reference, ...match } = findImage(images, written, platform);
    add(match, reference?.tag === undefined || reference.digest !== undefined ? [] : [reference.familiar]);
  }
  return [...chosen.values()];
}

function tagsOf(images: readonly StoredImage[], written: string): string[] {
  const { familiarName } = parseReference(written);
  return images.flatMap(({ names }) => names.filter((name) => parseReference(name).familiarName === familiarName));
}

async function* writing(
  { content }: ImageTools,
  parts: readonly Part[],
  release: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    yield directory("blobs/");
    yield directory("blobs/sha256/");
    for (const blob of new Set(parts.flatMap(({ blobs }) => blobs))) {
      const size = await content.sizeOf(blob);
      yield header(pathOf(blob), size);
      yield* content.read(blob);
      yield Buffer.alloc(tarPadding(size));
    }
    yield* file("index.json", indexOf(parts));
    yield* file("manifest.json", parts.map(entryOf));
    yield* file("oci-layout", { imageLayoutVersion: "1.0.0" });
    yield* file("repositories", repositoriesOf(parts));
    yield tarEnd;
  } finally {
    await release();
  }
}

function indexOf(parts: readonly Part[]): object {
  const manifests = parts.flatMap(({ names, root }) => {
    const { mediaType, digest, size } = root;
    const descriptor = { mediaType, digest, size };
    const annotated = names.map((name) => {
      const { canonical, tag } = parseReference(name);
      return { "io.containerd.image.name": canonical, [refName]: tag };
    });
    return annotated.length === 0 ? [descriptor] : annotated.map((annotations) => ({ ...descriptor, annotations }));
  });
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

function entryOf({ names, image, manifest }: Part): object {
  const sources = manifest.layers.map(({ mediaType, digest, size }, index) => [
    image.config.rootfs.diff_ids[index],
    { mediaType, size, digest },
  ]);
  return {
    Config: pathOf(image.id),
    RepoTags: names.length === 0 ? null : names,
    Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
    LayerSources: Object.fromEntries(sources),
  };
}

/** For readers of long ago: repository → tag → the top layer. */
function repositoriesOf(parts: readonly Part[]): object {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { names, manifest } of parts) {
    for (const name of names) {
      const { familiarName, tag = "latest" } = parseReference(name);
      const top = manifest.layers.at(-1)?.digest.split(":")[1] ?? "";
      repositories[familiarName] = { ...repositories[familiarName], [tag]: top };
    }
  }
  return repositories;
}

function pathOf(digest: Digest): string {
  return `blobs/${digest.replace(":", "/")}`;
}

function* file(name: string, content: unknown): Generator<Uint8Array> {
  const bytes = Buffer.from(`${JSON.stringify(content)}\n`);
  yield header(name, bytes.length);
  yield bytes;
  yield Buffer.alloc(tarPadding(bytes.length));
}

const common = {
  ...{ linkName: "", uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } },
  ...{ major: 0, minor: 0, xattrs: [], sparse: false },
};

function header(name: string, size: number): Buffer {
  return tarHeader({ ...common, type: "file", name, mode: 0o644, size });
}

function directory(name: string): Buffer {
  return tarHeader({ ...common, type: "directory", name, mode: 0o755, size: 0 });
}
