import type { ContainerChange } from "../../api/shapes/container-change.ts";
import type { Listing } from "../format/listing.ts";

const letters = ["C", "A", "D"] as const;

/** The columns of `diff`, as docker names and fills them. */
export const changeListing: Listing<ContainerChange> = {
  id: "Path",
  columns: ["Type", "Path"],
  fields: {
    Type: ["CHANGE TYPE", ({ Kind }) => letters[Kind]],
    Path: ["PATH", ({ Path }) => Path],
  },
};
