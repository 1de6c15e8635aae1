import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Kill one or more running containers",
  arity: { min: 1 },
  options: { signal: text("s", "Signal to send to the container") },
  run: (context, names, { signal }) =>
    forEach(context, names, async (name) => {
      await context.client.containers.kill(name, { signal });
      return name;
    }),
});
