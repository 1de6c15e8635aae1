import type { ImageHistoryItem } from "../../api/shapes/image.ts";
import type { Listing } from "../format/listing.ts";
import { ago, ellipsis, humanSize, shortId } from "../format/units.ts";

/** As much of a command as a line has room for. */
const longest = 45;

/** The columns of `history`, as docker names and fills them. */
export function historyListing(style: {
  readonly truncate: boolean;
  readonly human: boolean;
}): Listing<ImageHistoryItem> {
  const { truncate, human } = style;
  const moment = (seconds: number) =>
    seconds === 0 ? "" : new Date(seconds * 1000).toISOString().replace(/\.\d+/, "");
  return {
    id: "ID",
    columns: ["ID", human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"],
    fields: {
      ID: ["IMAGE", ({ Id }) => (truncate ? shortId(Id) : Id)],
      CreatedSince: ["CREATED", ({ Created }) => (Created === 0 ? "N/A" : ago(Created))],
      CreatedAt: ["CREATED AT", ({ Created }) => moment(Created)],
      CreatedBy: [
        "CREATED BY",
        ({ CreatedBy }) => {
          const line = CreatedBy.replaceAll("\t", " ");
          return truncate ? ellipsis(line, longest) : line;
        },
      ],
      Size: ["SIZE", ({ Size }) => (human ? humanSize(Size) : String(Size))],
      Comment: ["COMMENT", ({ Comment }) => Comment],
    },
  };
}
