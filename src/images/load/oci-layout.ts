import { SampanError } from "../../errors/index.ts";
import { mediaTypes, refName } from "../../registry/media-types.ts";
import type { ContentStore } from "../../storage/content/content.ts";
import type { Digest } from "../../storage/digest.ts";
import type { Blob } from "../download.ts";
import { hostPlatform, suitability } from "../platform.ts";
import {
  checkIsImage,
  type Descriptor,
  documentLimit,
  type Index,
  isAttestationEntry,
  type Manifest,
  parseConfig,
  parseDocument,
} from "../shapes.ts";
import { choosePlatform, forThisMachine } from "../suits.ts";
import type { Platform } from "../types.ts";
import type { FoundImage } from "./found-image.ts";
import type { Spool } from "./spool.ts";

/** containerd's annotation holds a whole name, OCI's may hold one or only a tag. */
const nameAnnotations = ["io.containerd.image.name", refName];

/** The images of an OCI image layout: index.json leads to manifests, or to indexes of several platforms. */
export async function readOciLayout(
  content: ContentStore,
  spool: Spool,
  { indexJson, platform = hostPlatform() }: { readonly indexJson: Blob; readonly platform?: Platform | undefined },
): Promise<FoundImage[]> {
  const document = parseDocument(await content.readSmall(indexJson.digest, documentLimit), "index.json of the archive");
  if (document.kind !== "index")
    throw new SampanError("invalid", "Cannot load the archive: its index.json is no index");
  const entries = entriesFor(document.index, platform);
  if (entries.length === 0) throw new SampanError("invalid", "Cannot load the archive: its index.json names no image");
  const found: FoundImage[] = [];
  for (const entry of entries) found.push(await readImage(content, spool, { entry, platform }));
  return found;
}

/** Entries for other platforms are passed over, as long as there is one for the wanted. */
function entriesFor({ manifests }: Index, wanted: Platform): Index["manifests"] {
  const ours = manifests.filter(({ platform }) => platform && suitability(wanted, platform) !== undefined);
  const any = manifests.filter(({ platform }) => platform === undefined);
  return ours.length > 0 ? [...ours, ...any] : manifests;
}

async function readImage(
  content: ContentStore,
  spool: Spool,
  { entry, platform }: { readonly entry: Descriptor; readonly platform: Platform },
): Promise<FoundImage> {
  const name = nameOf(entry) ?? entry.digest;
  const related: Digest[] = [];
  let at: Descriptor = entry;
  let document = await readDocument(content, spool, at, name);
  for (let depth = 0; document.kind === "index"; depth++) {
    if (depth === 4) throw new SampanError("invalid", `Cannot load ${name}: its indexes are nested too deeply`);
    related.push(at.digest);
    at = choosePlatform(document.index, platform, name);
    document = await readDocument(content, spool, at, name);
  }
  const names = [nameOf(entry)].filter((written) => written !== undefined);
  return { ...(await describe(content, spool, { at, manifest: document.manifest, name })), related, names };
}

interface Described {
  readonly at: Descriptor;
  readonly manifest: Manifest;
  /** For errors. */
  readonly name: string;
}

/** What a manifest says of its image. Throws `invalid` unless all of it is in the archive. */
export async function describe(
  content: ContentStore,
  spool: Spool,
  { at, manifest, name }: Described,
): Promise<Omit<FoundImage, "related" | "names">> {
  checkIsImage(manifest, name);
  for (const blob of [manifest.config, ...manifest.layers]) checkPresent(spool, blob, name);
  return {
    id: manifest.config.digest,
    config: parseConfig(await content.readSmall(manifest.config.digest, documentLimit), name),
    manifest,
    manifestDigest: at.digest,
    manifestSize: at.size,
    mediaType: manifest.mediaType || at.mediaType || mediaTypes.ociManifest,
  };
}

/** The indexes of an OCI layout of which everything is in the archive, for two platforms or more. */
export async function readWholeIndexes(content: ContentStore, spool: Spool, indexJson: Blob): Promise<FoundImage[]> {
  const document = parseDocument(await content.readSmall(indexJson.digest, documentLimit), "index.json of the archive");
  if (document.kind !== "index") return [];
  const found = new Map<Digest, FoundImage>();
  for (const entry of document.index.manifests) {
    const known = found.get(entry.digest);
    const image = known ?? (await readWholeIndex(content, spool, entry));
    if (image === undefined) continue;
    const names = [...(known?.names ?? []), nameOf(entry)].filter((written) => written !== undefined);
    found.set(entry.digest, { ...image, names });
  }
  return [...found.values()];
}

async function readWholeIndex(content: ContentStore, spool: Spool, entry: Descriptor): Promise<FoundImage | undefined> {
  if (!isHere(spool, entry)) return undefined;
  const name = nameOf(entry) ?? entry.digest;
  const root = await readDocument(content, spool, entry, name);
  if (root.kind === "manifest" || !root.index.manifests.every((child) => isHere(spool, child))) return undefined;
  const images: FoundImage[] = [];
  // What says something about the images belongs to the index.
  const related: Digest[] = [entry.digest];
  for (const at of root.index.manifests) {
    const document = await readDocument(content, spool, at, name);
    if (document.kind === "index") return undefined;
    const { manifest } = document;
    const blobs = [manifest.config, ...manifest.layers];
    if (!blobs.every((blob) => isHere(spool, blob))) return undefined;
    if (isAttestationEntry(at)) related.push(at.digest, ...blobs.map(({ digest }) => digest));
    else images.push({ ...(await describe(content, spool, { at, manifest, name })), related: [], names: [] });
  }
  const main = forThisMachine(images);
  if (main === undefined || images.length < 2 || images.some(({ config }) => config.os !== "linux")) return undefined;
  const others = images.filter(({ id }) => id !== main.id).map((image) => ({ ...image, related: [entry.digest] }));
  const mediaType = root.index.mediaType || entry.mediaType || mediaTypes.ociIndex;
  return { ...main, related, whole: { digest: entry.digest, mediaType, size: entry.size, others } };
}

function isHere(spool: Spool, { digest }: Descriptor): boolean {
  return spool.find(`blobs/${digest.replace(":", "/")}`) !== undefined;
}

/** A whole name, or undefined: "latest" alone names no repository. */
function nameOf({ annotations = {} }: Descriptor): string | undefined {
  return nameAnnotations.map((key) => annotations[key]).find((name) => name !== undefined && /[:/]/.test(name));
}

/** Throws `invalid` for a document that is not in the archive, or not what its entry promises. */
export async function readDocument(content: ContentStore, spool: Spool, entry: Descriptor, name: string) {
  checkPresent(spool, entry, name);
  return parseDocument(await content.readSmall(entry.digest, documentLimit), name, entry.mediaType);
}

/** Spooled files were stored under the digest of their bytes: the file of that name must be the promised one. */
function checkPresent(spool: Spool, { digest, size }: Descriptor, name: string): void {
  const blob = spool.find(`blobs/${digest.replace(":", "/")}`);
  if (blob === undefined) throw new SampanError("invalid", `Cannot load ${name}: blob ${digest} is not in the archive`);
  if (blob.digest !== digest) {
    throw new SampanError("invalid", `Cannot load ${name}: blob ${digest} has in truth the digest ${blob.digest}`);
  }
  if (blob.size !== size) {
    throw new SampanError(
      "invalid",
      `Cannot load ${name}: blob ${digest} has ${blob.size} bytes, ${size} were promised`,
    );
  }
}
