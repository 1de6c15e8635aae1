import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { containerListing } from "../listings/containers.ts";
import { filters, flag, integer, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "List containers",
  arity: { min: 0, max: 0 },
  options: {
    all: flag("a", "Show all containers (default shows just running)"),
    filter: filters("f", "Filter output based on conditions provided"),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    last: integer("n", "Show n last created containers (includes all states)"),
    latest: flag("l", "Show the latest created container (includes all states)"),
    "no-trunc": flag("", "Don't truncate output"),
    quiet: flag("q", "Only display container IDs"),
    size: flag("s", "Display total file sizes"),
  },
  run: async (context, _args, values) => {
    const limit = values.latest ? 1 : values.last;
    const items = await context.client.containers.list({
      all: values.all || undefined,
      limit: limit === undefined || limit < 0 ? undefined : limit,
      size: values.size || /\.Size\b/.test(values.format ?? "") || undefined,
      filters: values.filter,
    });
    const listing = containerListing({ truncate: !values["no-trunc"], size: values.size });
    for (const line of formatListing(listing, items, values)) context.print(line);
    return 0;
  },
});
