import { defineCommand } from "../command.ts";
import { inspectFlags, printInspected } from "../inspect.ts";
import { parsed } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Display detailed information on one or more images",
  arity: { min: 1 },
  options: {
    ...inspectFlags,
    platform: parsed("", "Inspect a specific platform of the multi-platform image", "string", parsePlatform),
  },
  run: (context, names, { format, platform }) =>
    printInspected(context, names, { format, find: (name) => context.client.images.inspect(name, { platform }) }),
});
