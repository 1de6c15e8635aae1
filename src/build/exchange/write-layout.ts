import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chown, copyFile, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { Blob } from "../../images/download.ts";
import { type Index, parseDocument } from "../../images/shapes.ts";
import type { ImageTools } from "../../images/tools.ts";
import { mediaTypes, refName } from "../../registry/media-types.ts";
import { storageError } from "../../storage/content/errors.ts";
import { blobPath, syncDirectory } from "../../storage/content/ingest.ts";
import { digestOf } from "../../storage/digest.ts";

/**
 * Writes a manifest and its blobs into an OCI image layout (image-layout.md, 1.0), which is made when it is not there, under
 * a tag; other tags of it stay. All of it belongs to whoever has the directory that it is made in.
 */
export async function writeLayout(
  { content }: Pick<ImageTools, "content">,
  { directory, tag }: { readonly directory: string; readonly tag: string },
  { blobs, bytes, mediaType }: { readonly blobs: readonly Blob[]; readonly bytes: Buffer; readonly mediaType: string },
): Promise<void> {
  try {
    const files = new OwnedFiles(await ownerOf(directory));
    await files.directory(join(directory, "blobs", "sha256"));
    for (const { digest } of blobs) {
      await files.directory(dirname(blobPath(directory, digest)));
      await files.write(blobPath(directory, digest), (path) =>
        copyFile(content.pathOf(digest), path, constants.COPYFILE_FICLONE),
      );
    }
    const digest = digestOf(bytes);
    await files.write(blobPath(directory, digest), (path) => writeFile(path, bytes));
    await files.write(join(directory, "oci-layout"), (path) => writeFile(path, '{"imageLayoutVersion":"1.0.0"}'));
    const entry = { mediaType, digest, size: bytes.length, annotations: { [refName]: tag } };
    const others = (await entriesIn(directory)).filter(({ annotations }) => annotations?.[refName] !== tag);
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...others, entry] };
    await files.write(join(directory, "index.json"), (path) => writeFile(path, JSON.stringify(index)));
    await syncDirectory(directory);
  } catch (cause) {
    throw cause instanceof SampanError ? cause : storageError(`write the build cache to ${directory}`, cause);
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Of the directory, or of the nearest above it that is there. */
async function ownerOf(directory: string): Promise<Owner> {
  const found = await stat(directory).catch(() => undefined);
  return found ?? (await ownerOf(dirname(directory)));
}

/** Files that appear whole. */
class OwnedFiles {
  readonly #owner: Owner;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  async directory(path: string): Promise<void> {
    const first = await mkdir(path, { recursive: true, mode: 0o755 });
    if (first === undefined) return;
    for (let at = path; at.length >= first.length; at = dirname(at)) await this.#own(at);
  }

  async write(path: string, fill: (path: string) => Promise<void>): Promise<void> {
    const passing = `${path}.${randomBytes(6).toString("hex")}`;
    try {
      await fill(passing);
      await this.#own(passing);
      await rename(passing, path);
    } catch (error) {
      await rm(passing, { force: true });
      throw error;
    }
  }

  async #own(path: string): Promise<void> {
    await chown(path, this.#owner.uid, this.#owner.gid);
  }
}

async function entriesIn(directory: string): Promise<Index["manifests"]> {
  const path = join(directory, "index.json");
  const bytes = await readFile(path).catch((error) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (bytes === undefined) return [];
  const document = parseDocument(bytes, path);
  if (document.kind === "index") return document.index.manifests;
  throw new SampanError("invalid", `Cannot write the build cache to ${directory}: its index.json is no index`);
}
