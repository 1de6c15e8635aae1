import { orCancelled } from "../../errors/cancel.ts";
import { storeLayerBlob } from "../../images/create/layer-blob.ts";
import { decompressed } from "../../images/decompress.ts";
import { type BlobSource, Download } from "../../images/download.ts";
import type { Hold } from "../../images/garbage.ts";
import { verified } from "../../images/layer.ts";
import { Feed, shortId } from "../../images/progress.ts";
import type { Progress } from "../../images/types.ts";
import { extractArchive } from "../../storage/extract/extract.ts";
import { openDirectoryTree } from "../../storage/pack/open.ts";
import { packTree } from "../../storage/pack/pack.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import type { CacheMounts } from "../cache/mounts.ts";
import type { WorkParts } from "../parts.ts";
import type { Plan, PlannedMount } from "../plan/types.ts";
import type { BuiltLayer } from "../solve/stack.ts";
import type { PackedMount } from "./format.ts";

/** Of a directory itself. */
export type MountOwner = Pick<PackedMount, "mode" | "uid" | "gid">;

type CacheMount = Extract<PlannedMount, { type: "cache" }>;

/** Packs the directories of all cache mounts of a plan, those that are there. Others may be writing into shared ones meanwhile. */
export async function packMounts(
  parts: WorkParts,
  { plan: { vertices }, mounts }: { readonly plan: Pick<Plan, "vertices">; readonly mounts: CacheMounts },
  { hold, signal }: { readonly hold: Hold; readonly signal: AbortSignal },
): Promise<PackedMount[]> {
  const wanted = new Map<string, CacheMount>();
  for (const vertex of vertices) {
    for (const mount of vertex.kind === "run" ? vertex.mounts : [])
      if (mount.type === "cache") wanted.set(mount.id, mount);
  }
  const packed: PackedMount[] = [];
  for (const [id, mount] of wanted) {
    const held = await mounts.look(mount, signal);
    if (held === undefined) continue;
    try {
      packed.push({ id, ...(await pack(parts, held.directory, { hold, signal })) });
    } finally {
      held.release();
    }
  }
  return packed;
}

async function pack(
  { executor, tools }: WorkParts,
  directory: string,
  { hold, signal }: { readonly hold: Hold; readonly signal: AbortSignal },
): Promise<Omit<PackedMount, "id">> {
  const purpose = "read a cache mount";
  const session = await openDirectoryTree(executor, purpose, directory);
  try {
    const reader = new TreeReader(session, purpose);
    const [top] = await reader.look(["."]);
    const { mode = 0o755, uid = 0, gid = 0 } = top ?? {};
    const options = { from: "", as: "", withTop: false, entersMount: () => false, isUpper: false };
    const { diffId, digest, size, mediaType } = await storeLayerBlob(tools, hold, packTree(reader, options), signal);
    return { layer: { diffId, digest, size, mediaType }, mode: mode & 0o7777, uid, gid };
  } finally {
    session.close();
  }
}

/**
 * Unpacks a cache mount into an empty directory, by a process that is shut up in it: whatever the archive says, nothing is
 * written elsewhere. Kind "invalid" for one that is not what its configuration says, and for one whose names lead out.
 */
export async function unpackMount(
  { executor, tools }: WorkParts,
  { id, layer }: PackedMount,
  directory: string,
  { source, hold, signal, progress }: UnpackOptions,
): Promise<void> {
  await fetchBlob(tools, layer, { source, hold, signal, progress });
  const tar = verified(decompressed(tools.content.read(layer.digest), `the cache mount ${id}`), layer.diffId);
  const purpose = `unpack the cache mount ${id}`;
  const session = await openDirectoryTree(executor, purpose, directory);
  try {
    await extractArchive(session, tar, { purpose, destination: directory, noOverwriteDirNonDir: false });
  } finally {
    session.close();
  }
}

interface UnpackOptions {
  readonly source: BlobSource;
  readonly hold: Hold;
  readonly signal: AbortSignal;
  progress(line: Progress): void;
}

async function fetchBlob(
  tools: WorkParts["tools"],
  { digest, size }: BuiltLayer,
  { source, hold, signal, progress }: UnpackOptions,
): Promise<void> {
  await tools.garbage.add(hold, [digest]);
  if (tools.content.has(digest)) return;
  const feed = new Feed(shortId(digest));
  const stop = feed.listen(progress);
  const download = (given: AbortSignal) => new Download(tools, { digest, size }, source, { signal: given, feed });
  const { flight, leave } = await tools.downloads.join(digest, download);
  try {
    await orCancelled(flight.done, signal);
  } finally {
    stop();
    await leave();
  }
}
