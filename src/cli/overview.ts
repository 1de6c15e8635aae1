import { closest } from "../errors/suggest.ts";
import { version } from "../errors/version.ts";
import { commands, findCommand, groups } from "./commands.ts";
import { ExitError } from "./errors.ts";
import { globalGrammar } from "./globals.ts";
import { commandHelp, commandList, optionList } from "./help.ts";
import { whyLater } from "./later-commands.ts";
import { standard } from "./standard.ts";

/** Answers a command line that names no command: the version, help about what it does name, or the error. */
export async function overview(
  args: readonly string[],
  asked: { readonly help: boolean; readonly version: boolean },
): Promise<number> {
  if (asked.version) return show(`Sampan version ${version}\n`);
  const words = args[0] === "help" ? args.slice(1) : args;
  const found = findCommand(words);
  if (found !== undefined) {
    const { default: command } = await found.entry.load();
    return show(commandHelp(found.path, command, found.entry.paths));
  }
  const [first, second] = words.filter((word) => !word.startsWith("-"));
  if (first === undefined) return show(sampanHelp());
  if (first in groups && second === undefined) return show(groupHelp(first));
  const later = whyLater([first, ...(second === undefined ? [] : [second])]);
  if (later !== undefined) throw new ExitError(1, `sampan: ${later}`, "unsupported");
  throw unknownCommand(first, first in groups ? second : undefined);
}

function show(text: string): number {
  standard.stdout.write(text);
  return 0;
}

function unknownCommand(first: string, second: string | undefined): ExitError {
  const path = second === undefined ? first : `${first} ${second}`;
  const known = [...commands.flatMap(({ paths }) => paths), ...Object.keys(groups)];
  const hint = closest(path, known);
  const message = [
    `sampan: unknown command: sampan ${path}`,
    ...(hint === undefined ? [] : [`Did you mean 'sampan ${hint}'?`]),
    `Run 'sampan ${second === undefined ? "" : `${first} `}--help' for more information`,
  ];
  return new ExitError(1, message.join("\n\n"));
}

function sampanHelp(): string {
  const isTop = (path: string | undefined): path is string => path !== undefined && !path.includes(" ");
  const rows = commands.flatMap(({ paths, summary, common }) =>
    isTop(paths[0]) ? [{ entry: [paths[0], summary] as const, common }] : [],
  );
  const sections = [
    "Usage:  sampan [OPTIONS] COMMAND",
    "A complete container engine for Linux, written in TypeScript",
    commandList(
      "Common Commands",
      rows.filter(({ common }) => common).map(({ entry }) => entry),
    ),
    commandList("Management Commands", Object.entries(groups)),
    commandList(
      "Commands",
      rows.filter(({ common }) => !common).map(({ entry }) => entry),
    ),
    optionList("Global Options", globalGrammar.options),
    "Run 'sampan COMMAND --help' for more information on a command.",
  ];
  return `${sections.join("\n\n")}\n`;
}

function groupHelp(group: string): string {
  const members = commands.flatMap(({ paths, summary }) => {
    const path = paths.find((candidate) => candidate.startsWith(`${group} `));
    return path === undefined ? [] : [[path.slice(group.length + 1), summary] as const];
  });
  const sections = [
    `Usage:  sampan ${group} COMMAND`,
    groups[group] ?? "",
    commandList(
      "Commands",
      members.toSorted(([a], [b]) => a.localeCompare(b)),
    ),
    `Run 'sampan ${group} COMMAND --help' for more information on a command.`,
  ];
  return `${sections.join("\n\n")}\n`;
}
