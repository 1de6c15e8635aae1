import { defineCommand } from "../command.ts";
import { forEach, ignoreNotModified } from "../each.ts";
import { howToStop, stopOptions } from "../stopping.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop one or more running containers",
  arity: { min: 1 },
  options: stopOptions,
  run: (context, names, values) =>
    forEach(context, names, async (name) => {
      await context.client.containers.stop(name, howToStop(values)).catch(ignoreNotModified);
      return name;
    }),
});
