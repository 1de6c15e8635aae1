import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { egressListing } from "../listings/egress.ts";
import { flag, text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Show what a container's egress policy has refused",
  arity: { min: 1, max: 1 },
  options: {
    follow: flag("f", "Go on with what is refused from now on"),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
  },
  run: async (context, [name = ""], { follow, format }) => {
    const entries = await context.client.containers.egress(name, { follow });
    if (!follow) {
      for (const line of formatListing(egressListing, await Array.fromAsync(entries), { format })) context.print(line);
      return 0;
    }
    // A table would have to know how wide what is to come will be
    const style = format === undefined || /^table/.test(format) ? { format: followed } : { format };
    for await (const entry of entries) {
      for (const line of formatListing(egressListing, [entry], style)) context.print(line);
    }
    return 0;
  },
});

const followed = "{{.Time}}\\t{{.Protocol}}\\t{{.Destination}}\\t{{.Port}}\\t{{.Name}}";
