import { defineCommand } from "../command.ts";
import { inspectFlags, printInspected } from "../inspect.ts";
import { later } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Display detailed information on one or more images",
  arity: { min: 1 },
  options: { ...inspectFlags, platform: later("inspecting one platform of an image is") },
  run: (context, names, { format }) =>
    printInspected(context, names, { format, find: (name) => context.client.images.inspect(name) }),
});
