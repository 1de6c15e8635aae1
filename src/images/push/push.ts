import { cancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import type { PushRepository } from "../../registry/push-repository.ts";
import { parseReference } from "../../registry/reference.ts";
import type { Reference } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";
import { compressMade } from "../create/compress.ts";
import { findImage } from "../lookup.ts";
import { Feed, shortId } from "../progress.ts";
import type { ImageTools } from "../tools.ts";
import type { Platform, PushOptions, StoredImage } from "../types.ts";
import { type PushedBlob, type PushPlan, planPush } from "./plan.ts";
import { recompress } from "./recompress.ts";
import { uploadBlob } from "./upload.ts";

/** Pushes one tag of a repository, or all that are here; see `ImageStore.push`. */
export async function pushImages(tools: ImageTools, reference: Reference, options: PushOptions): Promise<void> {
  options.progress({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
  for (const { image, name } of tagged(tools, reference, options.allTags)) {
    if (options.signal?.aborted) throw cancelled(options.signal);
    await pushTag(tools, image, name, options);
  }
}

/** The images to push, by name. Docker's texts. */
function tagged(
  { records }: ImageTools,
  reference: Reference,
  all: boolean,
): { image: StoredImage; name: Reference }[] {
  const { familiarName, familiar } = reference;
  const known = records
    .visible()
    .flatMap((image) => image.names.map((name) => ({ image, name: parseReference(name) })));
  const own = known.filter(({ name }) => name.familiarName === familiarName);
  if (own.length === 0) {
    throw new SampanError("not-found", `An image does not exist locally with the tag: ${familiarName}`);
  }
  const wanted = all ? own : own.filter(({ name }) => name.familiar === familiar);
  if (wanted.length === 0) throw new SampanError("not-found", `tag does not exist: ${familiar}`);
  return wanted.sort((a, b) => (a.name.familiar < b.name.familiar ? -1 : 1));
}

/** Of an index the image for a platform, and only that; else what the name stands for. */
function meant({ records }: ImageTools, named: StoredImage, { familiar }: Reference, platform: Platform | undefined) {
  if (platform === undefined) return { image: named, target: named.targets[familiar] };
  const { image } = findImage(records.visible(), familiar, platform);
  return { image, target: records.manifestOf(image.id)?.digest };
}

async function pushTag(tools: ImageTools, named: StoredImage, name: Reference, options: PushOptions): Promise<void> {
  const { auth, signal } = options;
  const hold = tools.garbage.hold();
  try {
    const { compression } = options;
    if (compression === undefined)
      await compressMade(tools, meant(tools, named, name, options.platform).image.id, options);
    const { image, target } = meant(tools, tools.records.byId(named.id) ?? named, name, options.platform);
    const stored = await planPush(tools, hold, image, target);
    const plan =
      compression === undefined ? stored : await recompress(tools, hold, stored, { ...options, compression });
    const from = neighbours(tools, plan, name);
    const sources = [...new Set(from.values())];
    const repository = await tools.registry.pushRepository(name, { auth, sources, signal });
    await pushBlobs(tools, repository, plan, { from, options });
    for (const child of plan.children) await repository.putManifest(child.digest, child, signal);
    const { digest, mediaType, bytes } = plan.root;
    const tag = name.tag ?? "latest";
    await repository.putManifest(tag, plan.root, signal);
    tools.records.addRepoDigest(image.id, `${name.familiarName}@${digest}`);
    options.progress({ status: `${tag}: digest: ${digest} size: ${bytes.length}` });
    options.pushed({ image, name, tag, digest, mediaType, size: bytes.length, partOf: plan.partOf });
  } finally {
    await tools.garbage.release(hold, false);
  }
}

/** By blob, a repository of the same registry that most likely has it: an image with it was pulled from or pushed to there. */
function neighbours({ records }: ImageTools, { blobs }: PushPlan, { domain, path }: Reference): Map<Digest, string> {
  const found = new Map<Digest, string>();
  for (const { digest } of blobs) {
    const others = records.digestsWith(digest).map(parseReference);
    const near = others.find((other) => other.domain === domain && other.path !== path);
    if (near !== undefined) found.set(digest, near.path);
  }
  return found;
}

interface BlobsOptions {
  readonly from: ReadonlyMap<Digest, string>;
  readonly options: Pick<PushOptions, "progress" | "signal">;
}

/** All blobs side by side; the first failure ends the others. */
export async function pushBlobs(
  tools: ImageTools,
  repository: PushRepository,
  { blobs }: Pick<PushPlan, "blobs">,
  { from, options }: BlobsOptions,
): Promise<void> {
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const push = async (blob: PushedBlob) => {
    const feed = new Feed(shortId(blob.shown ?? blob.digest));
    if (blob.shown !== undefined) feed.listen((line) => options.progress(line));
    feed.tell("Preparing");
    if (tools.uploads.full) feed.tell("Waiting");
    const free = await tools.uploads.take(signal);
    try {
      await uploadBlob(tools, repository, blob, { from: from.get(blob.digest), feed, signal });
    } finally {
      free();
    }
  };
  let first: { readonly error: unknown } | undefined;
  // The top layer first, as docker shows them.
  const pushes = blobs.toReversed().map((blob) =>
    push(blob).catch((error) => {
      first ??= { error };
      failed.abort(error);
    }),
  );
  await Promise.all(pushes);
  if (first !== undefined) throw first.error;
}
