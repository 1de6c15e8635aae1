import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { flag } from "../options.ts";
import { printPruned, pruneContainers, pruneFilter } from "../prune.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all stopped containers",
  arity: { min: 0, max: 0 },
  options: { filter: pruneFilter, force: flag("f", "Do not prompt for confirmation") },
  run: async (context, _args, { filter, force }) => {
    if (!force && !(await confirm(context, "WARNING! This will remove all stopped containers."))) return 0;
    printPruned(context, await pruneContainers(context, filter));
    return 0;
  },
});
