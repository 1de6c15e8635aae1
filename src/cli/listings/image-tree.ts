import type { ImageSummary, ManifestSummary } from "../../api/shapes/image.ts";
import { alignColumns } from "../format/table.ts";
import { humanSize, shortId } from "../format/units.ts";

/** The lines of `images --tree`: every name, and below it the platforms that it stands for. "U": a container uses it. */
export function imageTree(images: readonly ImageSummary[], { truncate }: { readonly truncate: boolean }): string[] {
  const id = (digest: string) => (truncate ? shortId(digest) : digest);
  const row = (name: string, digest: string, of: readonly ManifestSummary[]) => {
    const sum = (size: "Total" | "Content") => humanSize(of.reduce((total, one) => total + one.Size[size], 0));
    const used = of.some(({ ImageData }) => (ImageData?.Containers.length ?? 0) > 0);
    return [name, id(digest), sum("Total"), sum("Content"), used ? "U" : ""];
  };
  const lines = images.flatMap((image) => {
    const manifests = (image.Manifests ?? []).filter(({ Kind }) => Kind === "image");
    const names = image.RepoTags?.length ? image.RepoTags : ["<untagged>"];
    const children = manifests.map((one, index) => {
      const { os = "", architecture = "", variant } = one.ImageData?.Platform ?? {};
      const platform = [os, architecture, ...(variant ? [variant] : [])].join("/");
      return row(`${index === manifests.length - 1 ? "└" : "├"}─ ${platform}`, one.ID, [one]);
    });
    return names.flatMap((name) => [row(name, image.Id, manifests), ...children]);
  });
  return alignColumns([["IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA"], ...lines]);
}
