import { defineCommand } from "../command.ts";
import { later, text } from "../options.ts";
import { writeArchive } from "../write-archive.ts";

export default defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  arity: { min: 1 },
  options: {
    output: text("o", "Write to a file, instead of STDOUT"),
    platform: later("saving one platform of several is"),
  },
  run: async (context, images, { output }) => {
    await writeArchive(context, output, () => context.client.making.save(images));
    return 0;
  },
});
