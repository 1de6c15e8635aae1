import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";

export default defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Block until one or more containers stop, then print their exit codes",
  arity: { min: 1 },
  options: {},
  run: (context, names) =>
    forEach(context, names, async (name) => {
      const { exit } = await context.client.containers.wait(name);
      return String((await exit).StatusCode);
    }),
});
