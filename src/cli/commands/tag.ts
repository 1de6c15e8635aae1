import { defineCommand } from "../command.ts";
import { splitName } from "../parsing/repository.ts";

export default defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  arity: { min: 2, max: 2 },
  options: {},
  run: async (context, [source = "", target = ""]) => {
    const { repo, tag } = splitName(target);
    await context.client.making.tag(source, repo, tag);
    return 0;
  },
});
