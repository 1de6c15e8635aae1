import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";

export default defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Pause all processes within one or more containers",
  arity: { min: 1 },
  options: {},
  run: (context, names) =>
    forEach(context, names, async (name) => {
      await context.client.containers.pause(name);
      return name;
    }),
});
