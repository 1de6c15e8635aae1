import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { compareNaturally } from "../format/natural.ts";
import { networkListing } from "../listings/networks.ts";
import { filters, flag, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "List networks",
  arity: { min: 0, max: 0 },
  options: {
    filter: filters("f", 'Provide filter values (e.g. "driver=bridge")'),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    "no-trunc": flag("", "Do not truncate the output"),
    quiet: flag("q", "Only display network IDs"),
  },
  run: async (context, _args, values) => {
    const networks = await context.client.networks.list({ filters: values.filter });
    const rows = networks.toSorted((a, b) => compareNaturally(a.Name, b.Name));
    const listing = networkListing({ truncate: !values["no-trunc"] });
    for (const line of formatListing(listing, rows, values)) context.print(line);
    return 0;
  },
});
