import { defineCommand } from "../command.ts";
import { confirm } from "../confirm.ts";
import { humanSize } from "../format/units.ts";
import { bytes, flag, hidden } from "../options.ts";
import { pruneBuilds, pruneFilter } from "../prune.ts";

const warnings = {
  dangling: "WARNING! This will remove all dangling build cache.",
  all: "WARNING! This will remove all build cache.",
};

const reserved = bytes("", "Amount of disk space always allowed to keep for cache");

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove build cache",
  arity: { min: 0, max: 0 },
  options: {
    all: flag("a", "Remove all unused build cache, not just dangling ones"),
    filter: pruneFilter,
    force: flag("f", "Do not prompt for confirmation"),
    "keep-storage": hidden(reserved),
    "reserved-space": reserved,
  },
  run: async (context, _args, { all, filter, force, ...sizes }) => {
    if (!force && !(await confirm(context, all ? warnings.all : warnings.dangling))) return 0;
    const keep = sizes["reserved-space"] ?? sizes["keep-storage"];
    const { text, bytes: reclaimed } = await pruneBuilds(context, filter, { all, keep });
    if (text !== "") context.print(text);
    context.print(`Total reclaimed space: ${humanSize(reclaimed, 4)}`);
    return 0;
  },
});
