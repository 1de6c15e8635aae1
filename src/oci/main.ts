import { writeSync } from "node:fs";
import { messageOf, SampanError } from "../errors/index.ts";
import { version } from "../errors/version.ts";
import { leave } from "../kernel/leave.ts";
import { type Options, parseArguments } from "./arguments.ts";
import { commands } from "./commands.ts";
import { specVersion } from "./config/version.ts";
import { commandHelp, overallHelp } from "./help.ts";
import { type Log, openLog } from "./log.ts";
import { writeOut } from "./output.ts";
import { Store } from "./state/store.ts";
import { warmUp as allCommands } from "./warm-up.ts";

const globalOptions = {
  root: { kind: "text", help: "where containers are remembered; /run/sampan-runtime by default" },
  log: { kind: "text", help: "a file for errors, besides standard error" },
  "log-format": { kind: "text", help: "text or json; text by default" },
  debug: { kind: "flag", help: "log more" },
  "systemd-cgroup": { kind: "flag", help: "let systemd make the cgroups, as scopes" },
  rootless: { kind: "text", help: "for runc's sake: auto or false" },
  version: { kind: "flag", short: "v", help: "tell the version" },
  help: { kind: "flag", short: "h", help: "tell this" },
} as const;

const defaultRoot = "/run/sampan-runtime";

/** What failed before the process of `exec` ran has no exit status of a process: 255, as in runc. */
const failedExec = 255;

/** Runs one command line; answers its exit status. Errors are told, never thrown. */
export async function main(args: readonly string[]): Promise<number> {
  let log: Log = openLog({ path: undefined, format: "text", debug: false });
  let name = "";
  try {
    const { options, words } = parseArguments(args, globalOptions);
    log = openLog({ path: options.log, format: formatOf(options["log-format"]), debug: options.debug });
    const [first = "help", ...rest] = words;
    name = first;
    return await dispatch(name, rest, options, log);
  } catch (error) {
    log.error(messageOf(error));
    return name === "exec" ? failedExec : 1;
  }
}

async function dispatch(
  name: string,
  args: readonly string[],
  options: Options<typeof globalOptions>,
  log: Log,
): Promise<number> {
  if (options.version) return tell(`sampan-runtime version ${version}\nspec: ${specVersion}\n`);
  if (options.help || name === "help") return tell(overallHelp(globalOptions, commands));
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw new SampanError("invalid", `unknown command ${JSON.stringify(name)}: see --help`);
  if (args[0] === "--help" || args[0] === "-h") return tell(commandHelp(command));
  refuse(options);
  const store = new Store(options.root ?? defaultRoot);
  return command.run({ store, log, systemd: options["systemd-cgroup"] }, args);
}

function refuse(options: Options<typeof globalOptions>): void {
  if (options.rootless !== undefined && !["auto", "false"].includes(options.rootless))
    throw new SampanError(
      "unsupported",
      `--rootless ${options.rootless} is not supported: what a user may not do with cgroups is an error, whatever is asked for`,
    );
}

function formatOf(text = "text"): "text" | "json" {
  if (text === "text" || text === "json") return text;
  throw new SampanError("invalid", `invalid value ${JSON.stringify(text)} for flag -log-format: text or json`);
}

function tell(text: string): number {
  writeOut(text);
  return 0;
}

/** See `warm-up.ts`. */
export const warmUp = (directory: string): Promise<void> => allCommands(directory, main);

if (import.meta.main) {
  main(process.argv.slice(2)).then(leave, (error: unknown) => {
    writeSync(2, `sampan-runtime: ${messageOf(error)}\n`);
    leave(1);
  });
}
