import { SampanError } from "../errors/index.ts";
import { mediaTypes } from "../registry/media-types.ts";
import type { RawManifest, Repository } from "../registry/repository.ts";
import type { Reference } from "../registry/types.ts";
import { algorithmOf, type Digest } from "../storage/digest.ts";
import type { Hold } from "./garbage.ts";
import { hostPlatform, suitability } from "./platform.ts";
import { checkIsImage, type Descriptor, documentLimit, type Manifest, parseConfig, parseDocument } from "./shapes.ts";
import { obtainImage, type WantedImage } from "./stack.ts";
import { checkPlatform, choosePlatform, withPlatform } from "./suits.ts";
import type { ImageTools } from "./tools.ts";
import type { ImageConfig, PullOptions, StoredImage } from "./types.ts";

/** A manifest that was chosen, and the documents on the way to it. */
interface Found {
  readonly manifest: Manifest;
  /** What the tag stands for: the index's or the manifest's digest. */
  readonly root: Digest;
  readonly raw: RawManifest;
  readonly index: RawManifest | undefined;
}

/** Fetches an image; see `ImageStore.pull`. */
export async function pullImage(tools: ImageTools, reference: Reference, options: PullOptions): Promise<StoredImage> {
  const repository = await tools.registry.repository(reference, options.auth, options.signal);
  const current = await upToDate(tools, repository, reference, options);
  if (current !== undefined) return current;

  const hold = tools.garbage.hold({ resumable: true });
  let keep = false;
  try {
    const found = await findManifest(repository, reference, options);
    tellStart(reference, options);
    const wanted = await describe(tools, hold, repository, reference, found, options);
    const before = reference.tag === undefined ? undefined : tools.records.byName(reference.familiar);
    const image = await obtainImage(
      tools,
      hold,
      wanted,
      {
        ...options,
        progress: (line) => options.progress(line),
        source: (...a) => repository.blob(...a),
        unpacking: "Extracting",
      },
      () => nameImage(tools, reference, { id: wanted.id, root: found.root, config: wanted.config }, options),
    );
    options.progress({ status: `Digest: ${found.root}` });
    const isNew = reference.digest === undefined ? before?.id !== image.id : !wanted.known;
    options.progress({
      status: `Status: ${isNew ? "Downloaded newer image" : "Image is up to date"} for ${reference.familiar}`,
    });
    return image;
  } catch (error) {
    keep = isInterruption(error);
    throw error;
  } finally {
    await tools.garbage.release(hold, keep);
  }
}

/** Not before the registry has answered: a request that fails at once is to fail by its HTTP status. */
function tellStart(reference: Reference, options: PullOptions): void {
  const id = reference.digest ?? reference.tag ?? "latest";
  options.progress({ id, status: `Pulling from ${reference.path}` });
}

/** After these the next pull can go on with what is here; after others it would fail again. */
function isInterruption(error: unknown): boolean {
  return error instanceof SampanError && ["unavailable", "cancelled", "timeout"].includes(error.kind);
}

/** The image that is here already, when the registry still means the same one. */
async function upToDate(tools: ImageTools, repository: Repository, reference: Reference, options: PullOptions) {
  const { digest: wanted, tag } = reference;
  const suits = ({ config }: StoredImage) => suitability(options.platform ?? hostPlatform(), config) === 0;
  const named = (digest: Digest) => (image: StoredImage) =>
    image.repoDigests.includes(`${reference.familiarName}@${digest}`) && suits(image);
  let found: StoredImage | undefined;
  let digest = wanted;
  if (wanted !== undefined) {
    found = tools.records.visible().find(named(wanted));
  } else if (tag !== undefined) {
    const here = tools.records.byName(reference.familiar);
    digest =
      here === undefined || here.repoDigests.length === 0 ? undefined : await repository.digestOf(tag, options.signal);
    found = digest !== undefined && here !== undefined && named(digest)(here) ? here : undefined;
  }
  if (found === undefined) return undefined;
  tellStart(reference, options);
  options.progress({ status: `Digest: ${digest}` });
  options.progress({ status: `Status: Image is up to date for ${reference.familiar}` });
  return found;
}

async function findManifest(repository: Repository, reference: Reference, options: PullOptions): Promise<Found> {
  const name = reference.familiar;
  const first = await repository.manifest(reference.digest ?? reference.tag ?? "latest", documentLimit, options.signal);
  const document = parseDocument(first.bytes, name, first.mediaType);
  if (document.kind === "manifest")
    return { manifest: document.manifest, root: first.digest, raw: first, index: undefined };
  const chosen = choosePlatform(document.index, options.platform ?? hostPlatform(), name);
  const raw = await repository.manifest(chosen.digest, documentLimit, options.signal);
  const inner = parseDocument(raw.bytes, name, raw.mediaType);
  if (inner.kind === "index")
    throw new SampanError("unsupported", `Cannot use ${name}: its index leads to another index`);
  return { manifest: inner.manifest, root: first.digest, raw, index: first };
}

async function describe(
  tools: ImageTools,
  hold: Hold,
  repository: Repository,
  reference: Reference,
  found: Found,
  options: PullOptions,
): Promise<WantedImage & { known: boolean }> {
  const { manifest, raw, index } = found;
  const name = reference.familiar;
  checkIsImage(manifest, name);
  const related = index === undefined ? [] : [index.digest];
  await tools.garbage.add(hold, [manifest.config.digest, raw.digest, ...related]);
  const bytes = await fetchConfig(tools, repository, manifest.config, options.signal);
  const config = withPlatform(parseConfig(bytes, name));
  checkPlatform(config, name, options.platform);
  await tools.content.put(bytes, algorithmOf(manifest.config.digest));
  for (const document of [raw, ...(index === undefined ? [] : [index])]) {
    await tools.content.put(document.bytes, algorithmOf(document.digest));
  }
  return {
    name,
    id: manifest.config.digest,
    config,
    manifest,
    manifestDigest: raw.digest,
    manifestSize: raw.bytes.byteLength,
    mediaType: manifest.mediaType || raw.mediaType || mediaTypes.ociManifest,
    related,
    known: tools.records.byId(manifest.config.digest) !== undefined,
  };
}

async function fetchConfig(
  tools: ImageTools,
  repository: Repository,
  { digest, size }: Descriptor,
  signal?: AbortSignal,
) {
  if (tools.content.has(digest)) return await tools.content.readSmall(digest, documentLimit);
  return await repository.document(digest, size, documentLimit, signal);
}

interface Named {
  readonly id: Digest;
  readonly root: Digest;
  readonly config: ImageConfig;
}

function nameImage(
  { records }: ImageTools,
  reference: Reference,
  { id, root, config }: Named,
  { givesWay }: PullOptions,
): void {
  const isOurs = suitability(hostPlatform(), config) !== undefined;
  const isTaken = givesWay === true && !isOurs && records.byName(reference.familiar) !== undefined;
  if (reference.digest === undefined && !isTaken) records.addName(id, reference.familiar);
  records.addRepoDigest(id, `${reference.familiarName}@${root}`);
}
