import type { ImageSummary } from "../../api/shapes/image.ts";
import type { Listing } from "../format/listing.ts";
import { ago, goTime, humanSize, shortId } from "../format/units.ts";

/** One line of `images`: an image under one of its names. */
export interface ImageRow {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const none = "<none>";

/** One row per name of every image; an image without names has one row of `<none>`. */
export function imageRows(images: readonly ImageSummary[], withDigests: boolean): ImageRow[] {
  return images.flatMap((image) => {
    const digests = new Map((image.RepoDigests ?? []).map((text) => cut(text, "@")));
    const tags = (image.RepoTags ?? []).filter((name) => name !== "<none>:<none>");
    if (tags.length === 0) {
      const [repository, digest] = [...digests][0] ?? [none, none];
      return [{ image, repository, tag: none, digest: withDigests ? digest : none }];
    }
    return tags.map((name) => {
      const [repository, tag] = cut(name, ":");
      return { image, repository, tag, digest: digests.get(repository) ?? none };
    });
  });
}

function cut(text: string, separator: string): [before: string, after: string] {
  const at = text.lastIndexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The columns of `images`, as docker names and fills them. */
export function imageListing({ truncate, digests }: { truncate: boolean; digests: boolean }): Listing<ImageRow> {
  return {
    id: "ID",
    columns: ["Repository", "Tag", ...(digests ? ["Digest"] : []), "ID", "CreatedSince", "Size"],
    fields: {
      ID: ["IMAGE ID", ({ image }) => (truncate ? shortId(image.Id) : image.Id)],
      Repository: ["REPOSITORY", ({ repository }) => repository],
      Tag: ["TAG", ({ tag }) => tag],
      Digest: ["DIGEST", ({ digest }) => digest],
      CreatedSince: ["CREATED", ({ image }) => ago(image.Created)],
      CreatedAt: ["CREATED AT", ({ image }) => goTime(image.Created)],
      Size: ["SIZE", ({ image }) => humanSize(image.Size)],
      Containers: ["CONTAINERS", ({ image }) => (image.Containers < 0 ? "N/A" : String(image.Containers))],
      SharedSize: ["SHARED SIZE", ({ image }) => (image.SharedSize < 0 ? "N/A" : humanSize(image.SharedSize))],
      UniqueSize: [
        "UNIQUE SIZE",
        ({ image }) => (image.SharedSize < 0 ? "N/A" : humanSize(image.Size - image.SharedSize)),
      ],
      VirtualSize: ["SIZE", ({ image }) => humanSize(image.Size)],
    },
  };
}
