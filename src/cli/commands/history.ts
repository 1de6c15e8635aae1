import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { historyListing } from "../listings/history.ts";
import { flag, parsed, text } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE",
  summary: "Show the history of an image",
  arity: { min: 1, max: 1 },
  options: {
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    human: flag("H", "Print sizes and dates in human readable format", true),
    "no-trunc": flag("", "Don't truncate output"),
    platform: parsed("", "Show history for the given platform", "string", parsePlatform),
    quiet: flag("q", "Only show image IDs"),
  },
  run: async (context, [image = ""], { human, platform, ...values }) => {
    const steps = await context.client.making.history(image, { platform });
    const listing = historyListing({ truncate: !values["no-trunc"], human });
    for (const line of formatListing(listing, steps, values)) context.print(line);
    return 0;
  },
});
