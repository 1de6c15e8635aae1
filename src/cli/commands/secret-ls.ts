import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { compareNaturally } from "../format/natural.ts";
import { secretListing } from "../listings/secrets.ts";
import { filters, flag, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "List secrets",
  arity: { min: 0, max: 0 },
  options: {
    filter: filters("f", 'Filter output based on conditions provided (e.g. "name=key")'),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    quiet: flag("q", "Only display IDs"),
  },
  run: async (context, _args, values) => {
    const secrets = await context.client.secrets.list({ filters: values.filter });
    const rows = secrets.toSorted((a, b) => compareNaturally(a.Spec.Name, b.Spec.Name));
    for (const line of formatListing(secretListing, rows, values)) context.print(line);
    return 0;
  },
});
