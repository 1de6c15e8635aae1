import { defineCommand } from "../command.ts";
import { alignColumns } from "../format/table.ts";

export default defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  summary: "Display the running processes of a container",
  arity: { min: 1 },
  options: {},
  flagsFirst: true,
  run: async (context, [name = "", ...psOptions]) => {
    const { Titles, Processes } = await context.client.containers.top(name, psOptions.join(" "));
    for (const line of alignColumns([Titles, ...Processes], 20)) context.print(line);
    return 0;
  },
});
