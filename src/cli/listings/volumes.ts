import type { Volume } from "../../api/shapes/volume.ts";
import type { Listing } from "../format/listing.ts";
import { labelField, pairs } from "./labels.ts";

/** The columns of `volume ls`, as docker names and fills them. */
export const volumeListing: Listing<Volume> = {
  id: "Name",
  columns: ["Driver", "Name"],
  fields: {
    Driver: ["DRIVER", ({ Driver }) => Driver],
    Name: ["VOLUME NAME", ({ Name }) => Name],
    Scope: ["SCOPE", ({ Scope }) => Scope],
    Mountpoint: ["MOUNTPOINT", ({ Mountpoint }) => Mountpoint],
    Labels: ["LABELS", ({ Labels }) => pairs(Labels)],
    Label: labelField(({ Labels }) => Labels),
    Links: ["LINKS", () => "N/A"],
    Size: ["SIZE", () => "N/A"],
    Availability: ["AVAILABILITY", () => "N/A"],
    Group: ["GROUP", () => "N/A"],
    Status: ["STATUS", () => "N/A"],
  },
};
