import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { compareNaturally } from "../format/natural.ts";
import { volumeListing } from "../listings/volumes.ts";
import { filters, flag, later, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "List volumes",
  arity: { min: 0, max: 0 },
  options: {
    cluster: later("volumes of a cluster are", { isSwitch: true }),
    filter: filters("f", 'Provide filter values (e.g. "dangling=true")'),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    quiet: flag("q", "Only display volume names"),
  },
  run: async (context, _args, values) => {
    const { Volumes: volumes } = await context.client.volumes.list({ filters: values.filter });
    const rows = volumes.toSorted((a, b) => compareNaturally(a.Name, b.Name));
    for (const line of formatListing(volumeListing, rows, values)) context.print(line);
    return 0;
  },
});
