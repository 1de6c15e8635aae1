import type { SearchResult } from "../../api/shapes/image.ts";
import type { Listing } from "../format/listing.ts";

/** The columns of `search`, as docker names and fills them. */
export function searchListing({ truncate }: { readonly truncate: boolean }): Listing<SearchResult> {
  const ok = (is: boolean) => (is ? "[OK]" : "");
  return {
    id: "Name",
    columns: ["Name", "Description", "StarCount", "IsOfficial"],
    fields: {
      Name: ["NAME", ({ name }) => name],
      Description: ["DESCRIPTION", ({ description }) => shown(description, truncate)],
      StarCount: ["STARS", ({ star_count }) => String(star_count)],
      IsOfficial: ["OFFICIAL", ({ is_official }) => ok(is_official)],
      IsAutomated: ["AUTOMATED", ({ is_automated }) => ok(is_automated)],
    },
  };
}

/** On one line, which is at most 45 characters long. */
function shown(description: string, truncate: boolean): string {
  const line = description.replaceAll(/[\r\n]/g, " ");
  return truncate && line.length > 45 ? `${line.slice(0, 44)}…` : line;
}
