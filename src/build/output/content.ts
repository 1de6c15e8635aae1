import type { Blob } from "../../images/download.ts";
import type { Hold } from "../../images/garbage.ts";
import { writeArchive } from "../../images/save/archive.ts";
import type { Reference } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import type { Annotation, OutputContent } from "../types.ts";
import { type Built, putImages } from "./image.ts";

/** What `contentOf` answers besides the content. */
interface BuiltContent {
  /** The image's id, of several platforms the index's digest. */
  readonly id: Digest;
  readonly content: Omit<OutputContent, keyof AsyncDisposable>;
}

/** The images of a build with everything that they lead to, held, and in no list. */
export async function contentOf(
  { tools }: Pick<WorkParts, "tools">,
  hold: Hold,
  built: readonly Built[],
  { names, annotations }: { readonly names: readonly Reference[]; readonly annotations: readonly Annotation[] },
): Promise<BuiltContent> {
  const { images, main, index } = await putImages(tools, hold, built, annotations);
  const { mediaType, manifestDigest, manifestSize, config, manifest } = main;
  const root = index ?? { mediaType, digest: manifestDigest, size: manifestSize };
  const documents = images.map((image) => ({ digest: image.manifestDigest, size: image.manifestSize }));
  const leaves = images.flatMap((image) => [...image.manifest.layers, image.manifest.config]);
  const all = [...leaves, ...documents, root];
  const blobs = [...new Map(all.map(({ digest, size }): [Digest, Blob] => [digest, { digest, size }])).values()];
  const part = {
    names: names.map(({ familiar }) => familiar),
    root,
    blobs: blobs.map(({ digest }) => digest),
    image: { id: main.id, diffIds: config.rootfs.diff_ids, manifest },
  };
  return {
    id: index?.digest ?? main.id,
    content: {
      root,
      blobs,
      read: (digest) => tools.content.read(digest),
      archive: () => writeArchive(tools, [part]),
    },
  };
}
