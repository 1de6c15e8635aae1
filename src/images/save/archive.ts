import { mediaTypes, refName } from "../../registry/media-types.ts";
import { parseReference } from "../../registry/reference.ts";
import type { DiffId, Digest } from "../../storage/digest.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";
import type { Manifest } from "../shapes.ts";
import type { ImageTools } from "../tools.ts";

/** What is written for some names. */
export interface ArchivePart {
  /** "repo:tag". */
  readonly names: readonly string[];
  /** What index.json says: a manifest, or an index. */
  readonly root: { readonly digest: Digest; readonly mediaType: string; readonly size: number };
  /** All that it leads to, and itself. */
  readonly blobs: readonly Digest[];
  /** For readers that know no index. */
  readonly image: { readonly id: Digest; readonly diffIds: readonly DiffId[]; readonly manifest: Manifest };
}

/** An archive that is an OCI layout and a docker-archive at the same time; what it consists of must be held until it has ended. */
export async function* writeArchive(
  { content }: Pick<ImageTools, "content">,
  parts: readonly ArchivePart[],
): AsyncGenerator<Uint8Array> {
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
}

function indexOf(parts: readonly ArchivePart[]): object {
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

function entryOf({ names, image: { id, diffIds, manifest } }: ArchivePart): object {
  const sources = manifest.layers.map(({ mediaType, digest, size }, index) => [
    diffIds[index],
    { mediaType, size, digest },
  ]);
  return {
    Config: pathOf(id),
    RepoTags: names.length === 0 ? null : names,
    Layers: manifest.layers.map(({ digest }) => pathOf(digest)),
    LayerSources: Object.fromEntries(sources),
  };
}

/** For readers of long ago: repository → tag → the top layer. */
function repositoriesOf(parts: readonly ArchivePart[]): object {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { names, image } of parts) {
    for (const name of names) {
      const { familiarName, tag = "latest" } = parseReference(name);
      const top = image.manifest.layers.at(-1)?.digest.split(":")[1] ?? "";
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
