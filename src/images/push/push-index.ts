import { SampanError } from "../../errors/index.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { PushRepository } from "../../registry/push-repository.ts";
import type { Repository } from "../../registry/repository.ts";
import type { Reference } from "../../registry/types.ts";
import { type Digest, digestOf } from "../../storage/digest.ts";
import type { LookUpOptions } from "../distribution.ts";
import { documentLimit, parseDocument } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";

/** One manifest of an index that is to be made. */
export interface IndexEntry {
  /** The name it has in the registry. */
  readonly reference: Reference;
  readonly descriptor: {
    readonly mediaType: string;
    readonly digest: Digest;
    readonly size: number;
    readonly platform?: Readonly<Record<string, unknown>> | undefined;
  };
}

export interface WantedIndex {
  /** What it is to be called. */
  readonly reference: Reference;
  readonly entries: readonly IndexEntry[];
}

/**
 * Makes an index of manifests that their registry has already. What lies in other repositories of it is mounted from there;
 * nothing travels but manifests. Kind "invalid" for manifests of another registry.
 */
export async function pushIndex(tools: ImageTools, wanted: WantedIndex, options: LookUpOptions): Promise<Digest> {
  const { reference, entries } = wanted;
  for (const { reference: from } of entries) {
    if (from.domain === reference.domain) continue;
    const names = `${from.domain} != ${reference.domain}`;
    throw new SampanError(
      "invalid",
      `cannot use source images from a different registry than the target image: ${names}`,
    );
  }
  const others = entries.filter(({ reference: from }) => from.path !== reference.path);
  const { auth, insecure, signal } = options;
  const sources = [...new Set(others.map(({ reference: from }) => from.path))];
  const target = await tools.registry.pushRepository(reference, { auth, sources, insecure, signal });
  for (const entry of others) await bring(tools, target, entry, options);
  const bytes = Buffer.from(JSON.stringify(indexOf(entries), undefined, 3));
  const mediaType = typeOf(entries);
  await target.putManifest(reference.tag ?? "latest", { bytes, mediaType }, signal);
  return digestOf(bytes);
}

/** Has a manifest and all that it leads to in the target's repository. */
async function bring(
  { registry }: ImageTools,
  target: PushRepository,
  { reference, descriptor }: IndexEntry,
  { auth, insecure, signal }: LookUpOptions,
): Promise<void> {
  if (await target.hasManifest(descriptor.digest, descriptor.mediaType, signal)) return;
  const source: Repository = await registry.repository(reference, auth, signal, { insecure: insecure ?? false });
  const { bytes, mediaType } = await source.manifest(descriptor.digest, documentLimit, signal);
  const document = parseDocument(bytes, reference.familiar, mediaType);
  if (document.kind === "index") throw new SampanError("invalid", `${reference.familiar} is a manifest list`);
  for (const { digest } of [document.manifest.config, ...document.manifest.layers]) {
    if (await target.hasBlob(digest, signal)) continue;
    if ((await target.begin(digest, reference.path, signal)) === "mounted") continue;
    const remedy = `push the image to ${target.reference.familiarName} first`;
    const what = `Cannot take blob ${digest} of ${reference.familiar}`;
    throw new SampanError("unsupported", `${what}: its registry does not hand it to another repository; ${remedy}`);
  }
  await target.putManifest(descriptor.digest, { bytes, mediaType }, signal);
}

function indexOf(entries: readonly IndexEntry[]): object {
  const manifests = entries.map(({ descriptor: { mediaType, size, digest, platform } }) => {
    return { mediaType, size, digest, ...(platform && { platform }) };
  });
  return { schemaVersion: 2, mediaType: typeOf(entries), manifests };
}

/** Docker's own kind of list, unless what is in it is the OCI's. */
function typeOf(entries: readonly IndexEntry[]): string {
  const docker = entries.every(({ descriptor }) => descriptor.mediaType === mediaTypes.dockerManifest);
  return docker ? mediaTypes.dockerIndex : mediaTypes.ociIndex;
}
