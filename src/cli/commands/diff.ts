import { defineCommand } from "../command.ts";
import { formatListing } from "../format/listing.ts";
import { changeListing } from "../listings/changes.ts";
import { text } from "../options.ts";

export default defineCommand({
  usage: "CONTAINER",
  summary: "Inspect changes to files or directories on a container's filesystem",
  arity: { min: 1, max: 1 },
  options: {
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
  },
  run: async (context, [container = ""], { format = "{{.Type}} {{.Path}}" }) => {
    const changes = await context.client.files.changes(container);
    for (const line of formatListing(changeListing, changes, { format })) context.print(line);
    return 0;
  },
});
