import { defineCommand } from "../command.ts";
import { inspectFlags, printInspected } from "../inspect.ts";

export default defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Display detailed information on one or more volumes",
  arity: { min: 1 },
  options: inspectFlags,
  run: (context, names, { format }) =>
    printInspected(context, names, { format, find: (name) => context.client.volumes.inspect(name) }),
});
