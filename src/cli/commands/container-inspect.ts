import { defineCommand } from "../command.ts";
import { inspectFlags, printInspected, sizeFlag } from "../inspect.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Display detailed information on one or more containers",
  arity: { min: 1 },
  options: { ...inspectFlags, size: sizeFlag },
  run: (context, names, { format, size }) =>
    printInspected(context, names, {
      format,
      find: (name) => context.client.containers.inspect(name, { size: size || undefined }),
    }),
});
