import { copyOutput } from "../../client/hijack.ts";
import { defineCommand } from "../command.ts";
import { flag, parsed, text } from "../options.ts";
import { parseMoment } from "../parsing/moment.ts";

export default defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Fetch the logs of a container",
  arity: { min: 1, max: 1 },
  options: {
    details: flag("", "Show extra details provided to logs"),
    follow: flag("f", "Follow log output"),
    since: parsed(
      "",
      'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
      "string",
      (value) => parseMoment(value),
    ),
    tail: text("n", "Number of lines to show from the end of the logs (default all)"),
    timestamps: flag("t", "Show timestamps"),
    until: parsed(
      "",
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
      "string",
      (value) => parseMoment(value),
    ),
  },
  run: async (context, [name = ""], values) => {
    const { containers } = context.client;
    const response = await containers.logs(name, { stdout: true, stderr: true, ...values });
    const type = response.headers["content-type"] ?? "";
    const framed = type.includes("multiplexed") || (type.includes("raw") ? false : !(await hasTerminal()));
    await copyOutput(response, { stdout: context.stdout, stderr: context.stderr }, framed);
    return 0;

    async function hasTerminal(): Promise<boolean> {
      return (await containers.inspect(name)).Config.Tty ?? false;
    }
  },
});
