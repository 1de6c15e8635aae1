import { defineCommand } from "../command.ts";
import { invalid } from "../errors.ts";
import { later, list, text } from "../options.ts";
import { parseLabel } from "../parsing/key-value.ts";
import { parseOption } from "../parsing/network.ts";

/** Those of volumes of a swarm. */
const clusterFlags = Object.fromEntries(
  [
    ...["availability", "group", "limit-bytes", "required-bytes", "scope", "secret", "sharing"],
    ...["topology-preferred", "topology-required", "type"],
  ].map((name) => [name, later("volumes of a cluster are")] as const),
);

export default defineCommand({
  usage: "[OPTIONS] [VOLUME]",
  summary: "Create a volume",
  arity: { min: 0, max: 1 },
  options: {
    driver: text("d", 'Specify volume driver name (default "local")'),
    label: list("", "Set metadata for a volume", parseLabel),
    name: text("", "Specify volume name"),
    opt: list("o", "Set driver specific options", parseOption, "map"),
    ...clusterFlags,
  },
  run: async (context, [argument], { driver, label, name, opt }) => {
    if (argument !== undefined && name !== undefined) {
      throw invalid("conflicting options: cannot specify a volume name through both --name and as a positional arg");
    }
    const { Name } = await context.client.volumes.create({
      Name: argument ?? name ?? "",
      Driver: driver ?? "local",
      DriverOpts: Object.fromEntries(opt),
      Labels: Object.fromEntries(label),
    });
    context.print(Name);
    return 0;
  },
});
