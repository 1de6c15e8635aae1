import { defineCommand } from "../command.ts";
import { flag, list, text } from "../options.ts";
import { splitName } from "../parsing/repository.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  summary: "Create a new image from a container's changes",
  arity: { min: 1, max: 2 },
  options: {
    author: text("a", 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
    change: list("c", "Apply Dockerfile instruction to the created image"),
    message: text("m", "Commit message"),
    pause: flag("p", "Pause container during commit", true),
  },
  run: async (context, [container = "", name], { author, change: changes, message: comment, pause }) => {
    const named = name === undefined ? {} : splitName(name);
    context.print(await context.client.making.commit(container, { ...named, author, changes, comment, pause }));
    return 0;
  },
});
