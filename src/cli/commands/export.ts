import { defineCommand } from "../command.ts";
import { text } from "../options.ts";
import { writeArchive } from "../write-archive.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Export a container's filesystem as a tar archive",
  arity: { min: 1, max: 1 },
  options: { output: text("o", "Write to a file, instead of STDOUT") },
  run: async (context, [container = ""], { output }) => {
    await writeArchive(context, output, () => context.client.files.export(container));
    return 0;
  },
});
