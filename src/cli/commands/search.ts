import { defineCommand } from "../command.ts";
import { registryAuth } from "../credentials/store.ts";
import { formatListing } from "../format/listing.ts";
import { searchListing } from "../listings/search.ts";
import { filters, flag, integer, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] TERM",
  summary: "Search Docker Hub for images",
  arity: { min: 1, max: 1 },
  options: {
    filter: filters("f", "Filter output based on conditions provided"),
    format: text("", "Pretty-print search using a Go template"),
    limit: integer("", "Max number of search results"),
    "no-trunc": flag("", "Don't truncate output"),
  },
  run: async (context, [term = ""], { filter, format, limit, "no-trunc": whole }) => {
    const auth = registryAuth(term, context.env);
    const found = await context.client.images.search(term, { limit, filters: filter, auth });
    for (const line of formatListing(searchListing({ truncate: !whole }), found, { format })) context.print(line);
    return 0;
  },
});
