import { defineCommand } from "../command.ts";
import { inspectFlags, printInspected } from "../inspect.ts";
import { flag } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Display detailed information on one or more networks",
  arity: { min: 1 },
  options: { ...inspectFlags, verbose: flag("v", "Verbose output for diagnostics") },
  run: (context, names, { format, verbose }) =>
    printInspected(context, names, {
      format,
      find: (name) => context.client.networks.inspect(name, { verbose: verbose || undefined }),
    }),
});
