import { defineCommand } from "../command.ts";
import { registryAuth } from "../credentials/store.ts";
import { formatListing } from "../format/listing.ts";
import { searchListing } from "../listings/search.ts";
import { flag, folded, integer, text } from "../options.ts";
import type { Filters } from "../parsing/filter.ts";
import { addFilter } from "../parsing/filter.ts";

export default defineCommand({
  usage: "[OPTIONS] TERM",
  summary: "Search Docker Hub for images",
  arity: { min: 1, max: 1 },
  options: {
    filter: folded<Filters>("f", "Filter output based on conditions provided", "filter", {
      initial: {},
      read: addFilter,
    }),
    format: text("", "Pretty-print search using a Go template"),
    limit: integer("", "Max number of search results"),
    "no-trunc": flag("", "Don't truncate output"),
  },
  run: async (context, [term = ""], { filter, format, limit, "no-trunc": whole }) => {
    const filters = Object.keys(filter).length === 0 ? undefined : filter;
    const auth = registryAuth(term, context.env);
    const found = await context.client.images.search(term, { limit, filters, auth });
    for (const line of formatListing(searchListing({ truncate: !whole }), found, { format })) context.print(line);
    return 0;
  },
});
