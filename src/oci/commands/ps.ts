import { spawnSync } from "node:child_process";
import { openCgroupsAt } from "../../cgroups/index.ts";
import { SampanError } from "../../errors/index.ts";
import { writeOut } from "../output.ts";
import { command, idOf } from "./command.ts";

export const ps = command({
  name: "ps",
  usage: "[options] CONTAINER [ps options]",
  help: "tell the processes of a container",
  options: { format: { kind: "text", short: "f", help: "table or json; table by default" } },
  words: [1, Number.POSITIVE_INFINITY],
  run: ({ store }, { format = "table" }, words) => {
    const record = store.read(idOf(words));
    const pids = openCgroupsAt(record.cgroupPath).pids(record.cgroupPath);
    if (format === "json") writeOut(`${JSON.stringify(pids)}\n`);
    else if (format === "table") writeOut(processTable(words.slice(1), pids));
    else throw new SampanError("invalid", "invalid format option");
    return 0;
  },
});

/** What the machine's ps(1) says of them; it is asked for "-ef" unless told otherwise. */
function processTable(options: readonly string[], pids: readonly number[]): string {
  const given = options.length > 0 ? options : ["-ef"];
  const { status, stdout, stderr, error } = spawnSync("ps", given, { encoding: "utf8" });
  if (error !== undefined || status !== 0)
    throw new SampanError("failed", `Cannot list processes: ps ${given.join(" ")}: ${error?.message ?? stderr.trim()}`);
  const [heading = "", ...lines] = stdout.split("\n");
  const column = heading.trim().split(/\s+/).indexOf("PID");
  if (column < 0) throw new SampanError("failed", "Cannot list processes: ps does not tell a PID field");
  const ours = lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])));
  return [heading, ...ours, ""].join("\n");
}
