import { defineCommand } from "../command.ts";
import { describe } from "../describe.ts";
import { flag, parsed } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Remove one or more images",
  arity: { min: 1 },
  options: {
    force: flag("f", "Force removal of the image"),
    "no-prune": flag("", "Do not delete untagged parents"),
    platform: parsed("", "Remove only the given platform variant", "string", parsePlatform),
  },
  run: async (context, names, { force, "no-prune": noprune, platform }) => {
    let code = 0;
    // One after the other: what one removal deletes decides what the next one finds.
    for (const name of names) {
      try {
        const items = await context.client.images.remove(name, {
          force: force || undefined,
          noprune: noprune || undefined,
          platforms: platform,
        });
        for (const { Untagged, Deleted } of items) {
          context.print(Deleted === undefined ? `Untagged: ${Untagged}` : `Deleted: ${Deleted}`);
        }
      } catch (error) {
        context.warn(describe(error));
        if (!force || (error as { kind?: string }).kind !== "not-found") code = 1;
      }
    }
    return code;
  },
});
