import type { ContainerSummary } from "../../api/shapes/container.ts";
import type { Listing } from "../format/listing.ts";
import { ago, ellipsis, goTime, humanSize, shortId } from "../format/units.ts";
import { labelField, pairs } from "./labels.ts";
import { portsText } from "./ports.ts";

export interface ContainerListingStyle {
  readonly truncate: boolean;
  readonly size: boolean;
}

/** The columns of `ps`, as docker names and fills them. */
export function containerListing({ truncate, size }: ContainerListingStyle): Listing<ContainerSummary> {
  return {
    id: "ID",
    columns: ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names", ...(size ? ["Size"] : [])],
    fields: {
      ID: ["CONTAINER ID", ({ Id }) => (truncate ? shortId(Id) : Id)],
      Image: ["IMAGE", (container) => imageText(container, truncate)],
      Command: ["COMMAND", ({ Command }) => JSON.stringify(truncate ? ellipsis(Command, 20) : Command)],
      CreatedAt: ["CREATED AT", ({ Created }) => goTime(Created)],
      RunningFor: ["CREATED", ({ Created }) => ago(Created)],
      Status: ["STATUS", ({ Status }) => Status],
      State: ["STATE", ({ State }) => State],
      Ports: ["PORTS", ({ Ports }) => portsText(Ports)],
      Names: ["NAMES", ({ Names }) => Names.map((name) => name.replace(/^\//, "")).join(",")],
      Size: ["SIZE", sizeText],
      Labels: ["LABELS", ({ Labels }) => pairs(Labels)],
      Label: labelField(({ Labels }) => Labels),
      Mounts: ["MOUNTS", ({ Mounts }) => mountsText(Mounts, truncate)],
      LocalVolumes: ["LOCAL VOLUMES", ({ Mounts }) => Mounts.filter(({ Type }) => Type === "volume").length.toString()],
      Networks: ["NETWORKS", ({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}).join(",")],
      Platform: ["PLATFORM", () => null],
    },
  };
}

function imageText({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === "") return "<no image>";
  const isId = truncate && (Image === ImageID || /^(sha256:)?[0-9a-f]{64}$/.test(Image));
  return isId ? shortId(Image) : truncate ? Image.replace(/@sha256:[0-9a-f]{64}$/, "") : Image;
}

function sizeText({ SizeRw, SizeRootFs }: ContainerSummary): string {
  const own = humanSize(SizeRw ?? 0);
  return SizeRootFs ? `${own} (virtual ${humanSize(SizeRootFs)})` : own;
}

function mountsText(mounts: ContainerSummary["Mounts"], truncate: boolean): string {
  const names = mounts.map(({ Name, Source }) => Name ?? Source);
  return names.map((name) => (truncate ? ellipsis(name, 15) : name)).join(",");
}
