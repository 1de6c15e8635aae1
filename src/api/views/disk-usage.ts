import type { CacheEntry } from "../../build/types.ts";
import type { ContainerSize, ContainerView, VolumeUsage } from "../../engine/types.ts";
import type { StoredImage } from "../../images/types.ts";
import { type ApiVersion, versionNumber } from "../http/versions.ts";
import type { ContainerSummary } from "../shapes/container.ts";
import type { DiskUsageResponse, UsageSummary } from "../shapes/disk-usage.ts";
import type { ImageSummary } from "../shapes/image.ts";
import type { Volume } from "../shapes/volume.ts";
import { buildCacheItem, buildCacheSums } from "./build-cache.ts";
import { containerSummary } from "./container.ts";
import { imageSummary } from "./image.ts";
import { volumeDiskUsage } from "./volume.ts";

const v1_42 = versionNumber("1.42");
const v1_51 = versionNumber("1.51");
const v1_52 = versionNumber("1.52");

/** What was measured; a kind that nobody asked for is not there. */
export interface Measured {
  readonly images?: readonly { readonly image: StoredImage; readonly containers: number }[] | undefined;
  readonly containers?: readonly { readonly view: ContainerView; readonly size: ContainerSize }[] | undefined;
  readonly volumes?: readonly VolumeUsage[] | undefined;
  readonly buildCache?: readonly CacheEntry[] | undefined;
}

/** GET /system/df. From 1.52 on there are sums instead of lists, and the lists with `verbose` ("0" and "1": asked for). */
export function diskUsageResponse(
  measured: Measured,
  version: ApiVersion,
  verbose: boolean | undefined,
): DiskUsageResponse {
  const layers = layersOf(measured.images ?? []);
  const images = measured.images?.map((usage) => imageItem(usage, layers.users, version));
  const containers = measured.containers?.map(({ view, size }) => containerSummary(view, size));
  const volumes = measured.volumes?.map(volumeDiskUsage);
  const legacy: DiskUsageResponse = {
    LayersSize: layers.size,
    Images: images ?? null,
    Containers: containers ?? null,
    Volumes: volumes ?? null,
    BuildCache: measured.buildCache?.map(buildCacheItem) ?? null,
    ...(version < v1_42 ? { BuilderSize: buildCacheSums(measured.buildCache ?? [], false).TotalSize } : {}),
  };
  if (version < v1_52 && verbose === undefined) return legacy;
  const items = verbose === true;
  const sums: DiskUsageResponse = {
    ...(measured.images && images ? { ImageUsage: imageSums(measured.images, { images, layers, items }) } : {}),
    ...(containers ? { ContainerUsage: containerSums(containers, items) } : {}),
    ...(volumes ? { VolumeUsage: volumeSums(volumes, items) } : {}),
    ...(measured.buildCache ? { BuildCacheUsage: buildCacheSums(measured.buildCache, items) } : {}),
  };
  return version < v1_52 ? { ...legacy, ...sums } : sums;
}

type ImageUse = NonNullable<Measured["images"]>[number];

interface Layers {
  /** Bytes, each layer once. */
  readonly size: number;
  /** How many images have a layer. */
  readonly users: ReadonlyMap<string, number>;
}

function layersOf(images: readonly ImageUse[]): Layers {
  const users = new Map<string, number>();
  let size = 0;
  for (const { image } of images) {
    for (const layer of image.layers) {
      const known = users.get(layer.chainId) ?? 0;
      if (known === 0) size += layer.size;
      users.set(layer.chainId, known + 1);
    }
  }
  return { size, users };
}

function imageItem({ image, containers }: ImageUse, users: Layers["users"], version: ApiVersion): ImageSummary {
  const shared = image.layers.filter(({ chainId }) => (users.get(chainId) ?? 0) > 1);
  const SharedSize = shared.reduce((sum, { size }) => sum + size, 0);
  return {
    ...imageSummary(image, version < v1_51 ? v1_51 : version, containers),
    SharedSize,
    ...virtual(image, version),
  };
}

function virtual(image: StoredImage, version: ApiVersion): { VirtualSize?: number } {
  return version < versionNumber("1.44") ? { VirtualSize: image.size } : {};
}

interface ImageParts {
  readonly images: readonly ImageSummary[];
  readonly layers: Layers;
  readonly items: boolean;
}

function imageSums(uses: readonly ImageUse[], { images, layers, items }: ImageParts): UsageSummary<ImageSummary> {
  const used = layersOf(uses.filter(({ containers }) => containers > 0)).size;
  return {
    ActiveCount: uses.filter(({ containers }) => containers > 0).length,
    TotalCount: uses.length,
    Reclaimable: layers.size - used,
    TotalSize: layers.size,
    ...(items ? { Items: images } : {}),
  };
}

interface Rule<Item> {
  readonly items: boolean;
  readonly active: (item: Item) => boolean;
  /** Bytes. */
  readonly size: (item: Item) => number;
}

/** What is not active can be reclaimed. */
function sumsOf<Item>(all: readonly Item[], { items, active, size }: Rule<Item>): UsageSummary<Item> {
  const used = all.filter(active);
  const sum = (some: readonly Item[]) => some.reduce((total, item) => total + size(item), 0);
  return {
    ActiveCount: used.length,
    TotalCount: all.length,
    Reclaimable: sum(all) - sum(used),
    TotalSize: sum(all),
    ...(items ? { Items: all } : {}),
  };
}

function containerSums(all: readonly ContainerSummary[], items: boolean): UsageSummary<ContainerSummary> {
  const active = ({ State }: ContainerSummary) => ["running", "paused", "restarting"].includes(State);
  return sumsOf(all, { items, active, size: ({ SizeRw = 0 }) => SizeRw });
}

function volumeSums(all: readonly Volume[], items: boolean): UsageSummary<Volume> {
  const active = ({ UsageData }: Volume) => (UsageData?.RefCount ?? 0) > 0;
  return sumsOf(all, { items, active, size: ({ UsageData }) => UsageData?.Size ?? 0 });
}
