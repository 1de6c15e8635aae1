import type { DiskUsageResponse } from "../../api/shapes/disk-usage.ts";
import { defineCommand } from "../command.ts";
import { formatListing, type Listing } from "../format/listing.ts";
import { humanSize } from "../format/units.ts";
import { containerListing } from "../listings/containers.ts";
import { imageListing, imageRows } from "../listings/images.ts";
import type { volumeListing } from "../listings/volumes.ts";
import { flag, text } from "../options.ts";

/** A line of the short form. */
interface Row {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
  /** Whether docker tells the share, too. */
  readonly share: boolean;
}

const listing: Listing<Row> = {
  id: "Type",
  columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
  fields: {
    Type: ["TYPE", ({ type }) => type],
    TotalCount: ["TOTAL", ({ total }) => String(total)],
    Active: ["ACTIVE", ({ active }) => String(active)],
    Size: ["SIZE", ({ size }) => humanSize(size, 4)],
    Reclaimable: ["RECLAIMABLE", reclaimable],
  },
};

function reclaimable({ reclaimable: bytes, size, share }: Row): string {
  return share && size > 0 ? `${humanSize(bytes, 4)} (${Math.floor((100 * bytes) / size)}%)` : humanSize(bytes, 4);
}

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Show disk usage",
  arity: { min: 0, max: 0 },
  options: {
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    verbose: flag("v", "Show detailed information on space usage"),
  },
  run: async (context, _args, { format, verbose }) => {
    const usage = await context.client.diskUsage();
    const lines = verbose ? detailed(usage) : formatListing(listing, rows(usage), { format });
    for (const line of lines) context.print(line);
    return 0;
  },
});

function rows({ LayersSize = 0, Images, Containers, Volumes }: DiskUsageResponse): Row[] {
  const images = Images ?? [];
  const containers = Containers ?? [];
  const volumes = Volumes ?? [];
  const used = images.filter(({ Containers: count }) => count > 0);
  // What images in use share with others stays when those go.
  const inUse = used.reduce((sum, { Size, SharedSize }) => sum + Size - Math.max(0, SharedSize), 0);
  const active = containers.filter(({ State }) => ["running", "paused", "restarting"].includes(State));
  const own = (some: typeof containers) => some.reduce((sum, { SizeRw = 0 }) => sum + SizeRw, 0);
  const taken = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  const bytes = (some: typeof volumes) => some.reduce((sum, { UsageData }) => sum + (UsageData?.Size ?? 0), 0);
  return [
    row("Images", [images.length, used.length], LayersSize, LayersSize - inUse),
    row("Containers", [containers.length, active.length], own(containers), own(containers) - own(active)),
    row("Local Volumes", [volumes.length, taken.length], bytes(volumes), bytes(volumes) - bytes(taken)),
    { ...row("Build Cache", [0, 0], 0, 0), share: false },
  ];
}

function row(type: string, [total, active]: readonly [number, number], size: number, free: number): Row {
  return { type, total, active, size, reclaimable: free, share: true };
}

function detailed({ Images, Containers, Volumes }: DiskUsageResponse): string[] {
  const images = imageRows(Images ?? [], false);
  const columns = ["Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers"];
  const shown = { ...imageListing({ truncate: true, digests: false }), columns };
  const containers = {
    ...containerListing({ truncate: true, size: true }),
    columns: ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"],
  };
  const volumes: typeof volumeListing = {
    id: "Name",
    columns: ["Name", "Links", "Size"],
    fields: {
      Name: ["VOLUME NAME", ({ Name }) => Name],
      Links: ["LINKS", ({ UsageData }) => String(UsageData?.RefCount ?? 0)],
      Size: ["SIZE", ({ UsageData }) => humanSize(UsageData?.Size ?? 0, 4)],
    },
  };
  return [
    "Images space usage:\n",
    ...formatListing(shown, images, {}),
    "\nContainers space usage:\n",
    ...formatListing(containers, Containers ?? [], {}),
    "\nLocal Volumes space usage:\n",
    ...formatListing(volumes, Volumes ?? [], {}),
    "\nBuild cache usage: 0B\n",
    "CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED",
  ];
}
