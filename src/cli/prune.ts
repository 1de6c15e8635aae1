import type { ImageDeleteResponseItem } from "../api/shapes/image.ts";
import type { Context } from "./context.ts";
import { humanSize } from "./format/units.ts";
import { filters } from "./options.ts";
import type { Filters } from "./parsing/filter.ts";

/** `--filter` of what prunes by labels. */
export const pruneFilter = filters("", 'Provide filter values (e.g. "label=<key>=<value>")');

/** What came of a prune: a paragraph for people, "" when nothing went, and the bytes. */
export interface Pruned {
  readonly text: string;
  readonly bytes: number;
}

/** Prints what went, as docker does. */
export function printPruned({ print }: Context, { text, bytes }: Pruned): void {
  if (text !== "") print(text);
  print(`Total reclaimed space: ${humanSize(bytes, 4)}`);
}

export async function pruneContainers({ client }: Context, filters: Filters): Promise<Pruned> {
  const { ContainersDeleted: deleted, SpaceReclaimed: bytes } = await client.containers.prune({ filters });
  return { text: paragraph("Deleted Containers:", deleted ?? []), bytes };
}

/** Without `all` only images without a name. */
export async function pruneImages({ client }: Context, filters: Filters, all: boolean): Promise<Pruned> {
  const asked = { ...filters, dangling: [String(!all)] };
  const { ImagesDeleted: deleted, SpaceReclaimed: bytes } = await client.images.prune({ filters: asked });
  return { text: paragraph("Deleted Images:", (deleted ?? []).map(imageLine)), bytes };
}

export async function pruneVolumes({ client }: Context, filters: Filters): Promise<Pruned> {
  const { VolumesDeleted: deleted, SpaceReclaimed: bytes } = await client.volumes.prune({ filters });
  return { text: paragraph("Deleted Volumes:", deleted), bytes };
}

export async function pruneNetworks({ client }: Context, filters: Filters): Promise<Pruned> {
  const { NetworksDeleted: deleted } = await client.networks.prune({ filters });
  return { text: paragraph("Deleted Networks:", deleted ?? []), bytes: 0 };
}

/** Build cache that no image stands on, with `all` that, too; `keep` bytes may stay. */
export async function pruneBuilds(
  { client }: Context,
  filters: Filters,
  { all, keep }: { readonly all: boolean; readonly keep: number | undefined },
): Promise<Pruned> {
  const asked = { all, "reserved-space": keep, filters };
  const { CachesDeleted: deleted, SpaceReclaimed: bytes } = await client.builds.prune(asked);
  return { text: paragraph("Deleted build cache objects:", deleted ?? []), bytes };
}

function imageLine({ Untagged, Deleted }: ImageDeleteResponseItem): string {
  return Untagged === undefined ? `deleted: ${Deleted}` : `untagged: ${Untagged}`;
}

function paragraph(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${[title, ...lines].join("\n")}\n`;
}
