import { Readable } from "node:stream";
import type { Hold } from "../../images/garbage.ts";
import { putHeld } from "../../images/made-blob.ts";
import { pushBlobs } from "../../images/push/push.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import { parseReference } from "../../registry/reference.ts";
import { digestOf } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import type { BuildEvent } from "../progress/types.ts";
import type { Stack } from "../solve/stack.ts";
import { formatCache, type PackedMount, resultsIn, type StepResult } from "./format.ts";
import { shownStep, statusOf } from "./shown.ts";
import type { CacheTarget, RegistryCredentials } from "./types.ts";
import { writeLayout } from "./write-layout.ts";

export interface ExportOptions {
  readonly hold: Hold;
  /** Seconds since 1970: no later time is told. */
  readonly epoch: number | undefined;
  readonly signal: AbortSignal;
  readonly auth: RegistryCredentials;
  emit(event: BuildEvent): void;
}

/** What a build has come to. */
export interface Exported {
  readonly results: readonly StepResult[];
  readonly stacks: readonly Stack[];
  /** Packs the cache mounts that its commands have; all of it is held. */
  mounts(): Promise<readonly PackedMount[]>;
}

/** Brings the results of a build's steps to where they are wanted; all their layers must be held. */
export async function exportCache(
  parts: WorkParts,
  targets: readonly CacheTarget[],
  { results, stacks, mounts }: Exported,
  options: ExportOptions,
): Promise<void> {
  let packing: Promise<readonly PackedMount[]> | undefined;
  for (const [place, target] of targets.entries()) {
    if (target.type === "inline") continue;
    const where = target.type === "registry" ? target.reference : target.directory;
    const id = `cache-to-${place}`;
    const shown = { id, name: `exporting cache to ${where}`, mayFail: () => target.mayFail };
    await shownStep(options, shown, async () => {
      if (target.mounts) packing ??= mounts();
      const packed = target.mounts ? await packing : undefined;
      const chosen = target.all ? results : resultsIn(results, stacks);
      const formatted = formatCache(chosen, packed ?? [], options.epoch);
      const config = await putHeld(parts.tools, options.hold, formatted.config);
      const blobs = [...formatted.manifest.layers, { digest: config, size: formatted.config.length }];
      const cache = { blobs, bytes: formatted.bytes, mediaType: mediaTypes.ociManifest };
      if (target.type === "local") return await writeLayout(parts.tools, target, cache);
      if (target.type === "lent") return await lend(parts, target, cache, options.signal);
      await push(parts, target.reference, cache, { ...options, step: id });
    });
  }
}

/** What is led to goes before the manifest: a store that was left in the middle has no cache. */
async function lend(
  { tools: { content } }: WorkParts,
  { store, stored }: Extract<CacheTarget, { type: "lent" }>,
  { blobs, bytes, mediaType }: Cache,
  signal: AbortSignal,
): Promise<void> {
  for (const blob of blobs) await store.write(blob, content.read(blob.digest), signal);
  const root = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await store.write(root, Readable.from([bytes]), signal);
  stored(root);
}

type Cache = Parameters<typeof writeLayout>[2];

async function push(
  { tools }: WorkParts,
  name: string,
  { blobs, bytes, mediaType }: Cache,
  { auth, signal, emit, step }: ExportOptions & { readonly step: string },
): Promise<void> {
  const reference = parseReference(name);
  const repository = await tools.registry.pushRepository(reference, { auth: await auth(name), signal });
  const shown = blobs.map((blob) => ({ ...blob, shown: blob.digest }));
  const options = { progress: statusOf(step, emit), signal };
  await pushBlobs(tools, repository, { blobs: shown }, { from: new Map(), options });
  await repository.putManifest(reference.tag ?? "latest", { bytes, mediaType }, signal);
}
