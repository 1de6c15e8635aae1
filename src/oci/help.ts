import type { OptionTable } from "./arguments.ts";
import type { Command } from "./commands/command.ts";

/** What `--help` says of the whole. */
export function overallHelp(options: OptionTable, commands: readonly Command[]): string {
  return [
    "sampan-runtime: runs containers of OCI bundles, without a daemon",
    "",
    "Usage: sampan-runtime [global options] COMMAND [options] [arguments]",
    "",
    "Commands:",
    ...commands.map(({ name, help }) => `  ${name.padEnd(12)}${help}`),
    "",
    "Global options:",
    ...optionLines(options),
    "",
  ].join("\n");
}

/** What a command's `--help` says. */
export function commandHelp({ name, usage, help, options }: Command): string {
  const lines = optionLines(options);
  return [
    `Usage: sampan-runtime ${name} ${usage}`.trimEnd(),
    "",
    help,
    ...(lines.length > 0 ? ["", "Options:", ...lines] : []),
    "",
  ].join("\n");
}

function optionLines(options: OptionTable): string[] {
  return Object.entries(options).map(([name, { kind, short, help }]) => {
    const names = `--${name}${short === undefined ? "" : `, -${short}`}${kind === "flag" ? "" : " value"}`;
    return `  ${names.padEnd(30)}${help}`;
  });
}
