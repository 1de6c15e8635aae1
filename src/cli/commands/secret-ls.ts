import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { compareNaturally } from "../format/natural.ts";
import { secretListing } from "../listings/secrets.ts";
import { flag, folded, text } from "../options.ts";
import type { Filters } from "../parsing/filter.ts";
import { addFilter } from "../parsing/filter.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "List secrets",
  arity: { min: 0, max: 0 },
  options: {
    filter: folded<Filters>("f", 'Filter output based on conditions provided (e.g. "name=key")', "filter", {
      initial: {},
      read: addFilter,
    }),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    quiet: flag("q", "Only display IDs"),
  },
  run: async (context, _args, values) => {
    const filters = Object.keys(values.filter).length === 0 ? undefined : values.filter;
    const secrets = await context.client.secrets.list({ filters });
    const rows = secrets.toSorted((a, b) => compareNaturally(a.Spec.Name, b.Spec.Name));
    for (const line of formatListing(secretListing, rows, values)) context.print(line);
    return 0;
  },
});
