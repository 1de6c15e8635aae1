import { defineCommand } from "../command.ts";
import { ExitError } from "../errors.ts";
import { formatListing } from "../format/listing.ts";
import { imageTree } from "../listings/image-tree.ts";
import { imageListing, imageRows } from "../listings/images.ts";
import { filters, flag, text } from "../options.ts";
import { addFilter } from "../parsing/filter.ts";

export default defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  summary: "List images",
  arity: { min: 0, max: 1 },
  options: {
    all: flag("a", "Show all images (default hides intermediate images)"),
    digests: flag("", "Show digests"),
    filter: filters("f", "Filter output based on conditions provided"),
    format: text("", "Format output using a custom template: 'table', 'table TEMPLATE', 'json' or a Go template"),
    "no-trunc": flag("", "Don't truncate output"),
    quiet: flag("q", "Only show image IDs"),
    tree: flag("", "List multi-platform images as a tree"),
  },
  run: async (context, [reference], values) => {
    if (values.tree && (values.quiet || values.digests || values.format !== undefined)) {
      const clash = values.quiet ? "quiet" : values.digests ? "show-digest" : "format";
      throw new ExitError(1, `--${clash} is not yet supported with --tree`);
    }
    const asked = reference === undefined ? values.filter : addFilter(`reference=${reference}`, values.filter);
    const images = await context.client.images.list({
      all: values.all || undefined,
      filters: asked,
      manifests: values.tree,
    });
    if (values.tree) {
      for (const line of imageTree(images, { truncate: !values["no-trunc"] })) context.print(line);
      return 0;
    }
    const listing = imageListing({ truncate: !values["no-trunc"], digests: values.digests });
    const rows = imageRows(images, values.digests);
    for (const line of formatListing(listing, rows, values)) context.print(line);
    return 0;
  },
});
