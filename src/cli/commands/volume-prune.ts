import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { humanSize } from "../format/units.ts";
import { flag, folded } from "../options.ts";
import type { Filters } from "../parsing/filter.ts";
import { addFilter } from "../parsing/filter.ts";

const warnings = {
  anonymous: "WARNING! This will remove anonymous local volumes not used by at least one container.",
  all: "WARNING! This will remove all local volumes not used by at least one container.",
};

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused local volumes",
  arity: { min: 0, max: 0 },
  options: {
    all: flag("a", "Remove all unused volumes, not just anonymous ones"),
    filter: folded<Filters>("", 'Provide filter values (e.g. "label=<label>")', "filter", {
      initial: {},
      read: addFilter,
    }),
    force: flag("f", "Do not prompt for confirmation"),
  },
  run: async (context, _args, { all, filter, force }) => {
    if (!force && !(await confirm(context, all ? warnings.all : warnings.anonymous))) return 0;
    const wanted = all ? { ...filter, all: ["true"] } : filter;
    const filters = Object.keys(wanted).length === 0 ? undefined : wanted;
    const { VolumesDeleted: deleted, SpaceReclaimed: bytes } = await context.client.volumes.prune({ filters });
    if (deleted.length > 0) context.print(["Deleted Volumes:", ...deleted, ""].join("\n"));
    context.print(`Total reclaimed space: ${humanSize(bytes)}`);
    return 0;
  },
});
