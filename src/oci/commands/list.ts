import { SampanError } from "../../errors/index.ts";
import { tableText, writeOut } from "../output.ts";
import { shownState } from "../state/shown.ts";
import { command } from "./command.ts";

export const list = command({
  name: "list",
  usage: "[options]",
  help: "tell all containers below the root directory",
  options: {
    format: { kind: "text", short: "f", help: "table or json; table by default" },
    quiet: { kind: "flag", short: "q", help: "only their ids" },
  },
  words: [0, 0],
  run: ({ store }, { format = "table", quiet }) => {
    const containers = store.list().map((record) => shownState(store, record));
    if (quiet) writeOut(containers.map(({ id }) => `${id}\n`).join(""));
    else if (format === "json") writeOut(`${JSON.stringify(containers)}\n`);
    else if (format === "table") {
      const rows = containers.map((c) => [c.id, String(c.pid), c.status, c.bundle, c.created, c.owner]);
      writeOut(tableText([["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"], ...rows]));
    } else throw new SampanError("invalid", "invalid format option");
    return 0;
  },
});
