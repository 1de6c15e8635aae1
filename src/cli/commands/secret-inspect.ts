import { defineCommand } from "../command.ts";
import { inspectFlags, printInspected } from "../inspect.ts";
import { later } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] SECRET [SECRET...]",
  summary: "Display detailed information on one or more secrets",
  arity: { min: 1 },
  options: { ...inspectFlags, pretty: later("another format than JSON is", { isSwitch: true }) },
  run: (context, names, { format }) =>
    printInspected(context, names, { format, find: (name) => context.client.secrets.inspect(name) }),
});
