import { defineCommand } from "../command.ts";
import { forEach } from "../each.ts";
import { flag } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Remove one or more volumes",
  arity: { min: 1 },
  options: { force: flag("f", "Force the removal of one or more volumes") },
  run: (context, names, { force }) =>
    forEach(context, names, (name) => context.client.volumes.remove(name, { force }).then(() => name)),
});
