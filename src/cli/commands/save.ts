import { defineCommand } from "../command.ts";
import { parsed, text } from "../options.ts";
import { parsePlatform } from "../parsing/platform.ts";
import { writeArchive } from "../write-archive.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  arity: { min: 1 },
  options: {
    output: text("o", "Write to a file, instead of STDOUT"),
    platform: parsed("", "Save only the given platform variant", "string", parsePlatform),
  },
  run: async (context, images, { output, platform }) => {
    await writeArchive(context, output, () => context.client.making.save(images, { platform }));
    return 0;
  },
});
