import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { howToStop, stopOptions } from "../stopping.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Restart one or more containers",
  arity: { min: 1 },
  options: stopOptions,
  run: (context, names, values) =>
    forEach(context, names, async (name) => {
      await context.client.containers.restart(name, howToStop(values));
      return name;
    }),
});
