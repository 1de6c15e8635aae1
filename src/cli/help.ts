import type { Command } from "./command.ts";
import type { AnyOptions, Option } from "./options.ts";

/** One line of a list of commands or options: what is typed, and what it means. */
type Entry = readonly [left: string, right: string];

/** The help text of one command. */
export function commandHelp(path: string, command: Command, aliases: readonly string[]): string {
  const sections = [`Usage:  sampan ${path} ${command.usage}`, command.summary];
  if (aliases.length > 1) sections.push(`Aliases:\n  ${aliases.map((alias) => `sampan ${alias}`).join(", ")}`);
  if (Object.keys(command.options).length > 0) sections.push(optionList("Options", command.options));
  return `${sections.join("\n\n")}\n`;
}

/** A titled list of options. */
export function optionList(title: string, options: AnyOptions): string {
  const shown = Object.entries(options).filter(([, option]) => !option.hidden);
  shown.sort(([a], [b]) => (a < b ? -1 : 1));
  return `${title}:\n${columns(shown.map(optionEntry), { indent: "", gap: 3 })}`;
}

/** A titled list of commands for the help of a group or of sampan itself. */
export function commandList(title: string, entries: readonly Entry[]): string {
  return `${title}:\n${columns(entries, { indent: "  ", gap: 2 })}`;
}

function optionEntry([name, option]: readonly [string, Option<unknown>]): Entry {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const label = option.label === "" ? "" : ` ${option.label}`;
  return [`  ${short}--${name}${label}`, option.help];
}

/** Two columns, the right one wrapped to the terminal's width. */
function columns(
  entries: readonly Entry[],
  { indent, gap }: { readonly indent: string; readonly gap: number },
): string {
  const left = Math.max(...entries.map(([text]) => text.length)) + gap;
  const width = Math.max((process.stdout.columns ?? 100) - indent.length - left, 30);
  const lines = entries.map(([text, meaning]) => {
    const wrapped = wrap(meaning, width).join(`\n${" ".repeat(indent.length + left)}`);
    return `${indent}${text.padEnd(left)}${wrapped}`.trimEnd();
  });
  return lines.join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
