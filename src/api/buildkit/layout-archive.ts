import { readLentDocument } from "../../build/exchange/lent-document.ts";
import type { LentStore } from "../../build/types.ts";
import { SampanError } from "../../errors/index.ts";
import { type Descriptor, isAttestationEntry, parseDocument } from "../../images/shapes.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Digest } from "../../storage/digest.ts";
import type { TarEntry } from "../../storage/tar/entry.ts";
import { tarEnd, tarHeader, tarPadding } from "../../storage/tar/writer.ts";

/** An image or index of a client's store, with all that it leads to there, as the archive of an OCI layout. */
export async function* layoutArchive(
  store: Pick<LentStore, "read">,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const name = "the layout";
  const bytes = await readLentDocument({ store, name }, digest, signal);
  const document = parseDocument(bytes, digest);
  const mediaType = document.kind === "index" ? mediaTypes.ociIndex : mediaTypes.ociManifest;
  const root = { mediaType, digest, size: bytes.length };
  yield* member(pathOf(digest), bytes);
  if (document.kind === "manifest") yield* manifestBlobs(store, bytes, digest, signal);
  else {
    for (const entry of document.index.manifests) {
      if (isAttestationEntry(entry)) continue;
      const manifest = await readLentDocument({ store, name }, entry.digest, signal);
      yield* member(pathOf(entry.digest), manifest);
      yield* manifestBlobs(store, manifest, entry.digest, signal);
    }
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [root] };
  yield* member("index.json", Buffer.from(JSON.stringify(index)));
  yield* member("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield tarEnd;
}

async function* manifestBlobs(
  store: Pick<LentStore, "read">,
  bytes: Buffer,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const document = parseDocument(bytes, digest);
  if (document.kind === "index") throw new SampanError("unsupported", `Cannot use ${digest}: an index in an index`);
  const { config, layers } = document.manifest;
  for (const blob of new Map([config, ...layers].map((one): [Digest, Descriptor] => [one.digest, one])).values()) {
    yield tarHeader({ ...common, name: pathOf(blob.digest), size: blob.size });
    yield* await store.read(blob.digest, 0, signal);
    yield Buffer.alloc(tarPadding(blob.size));
  }
}

const common: Omit<TarEntry, "name" | "size"> = {
  ...{ type: "file", linkName: "", mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } },
  ...{ major: 0, minor: 0, xattrs: [], sparse: false },
};

function* member(name: string, bytes: Buffer): Generator<Uint8Array> {
  yield tarHeader({ ...common, name, size: bytes.length });
  yield bytes;
  yield Buffer.alloc(tarPadding(bytes.length));
}

function pathOf(digest: Digest): string {
  return `blobs/${digest.replace(":", "/")}`;
}
