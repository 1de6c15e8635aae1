import type { LintEvent } from "../../api/shapes/build.ts";

/** A lint at full length, with the place that it is about. */
export function lintText({ lint, file, source }: LintEvent): string {
  const line = "-".repeat(20);
  const head = `WARNING: ${lint.rule}${lint.url === "" ? "" : ` - ${lint.url}`}`;
  return `\n${head}\n${lint.message}\n${file}:${lint.range.start.line}\n${line}\n${source}\n${line}\n`;
}

/** The last line of `--check`. */
export function checkSummary(count: number): string {
  if (count === 0) return "Check complete, no warnings found.";
  return `Check complete, ${count} warning${count === 1 ? " has" : "s have"} been found!`;
}

/** What a build says of lints: a line each. */
export function lintList(lints: readonly LintEvent[]): string {
  if (lints.length === 0) return "";
  const head = ` ${lints.length} warning${lints.length === 1 ? "" : "s"} found (use --check to see where):`;
  const lines = lints.map(({ lint }) => ` - ${lint.rule}: ${lint.message} (line ${lint.range.start.line})`);
  return `\n${[head, ...lines].join("\n")}\n`;
}

/** A target, as `--call=targets` has it. */
interface Target {
  readonly name: string;
  readonly default: boolean;
  readonly description: string;
}

/** What a target takes, as `--call=outline` has it. */
interface Outline {
  readonly name: string;
  readonly description: string;
  readonly args: readonly { readonly name: string; readonly value: string; readonly description: string }[];
  readonly secrets: readonly { readonly name: string; readonly required: boolean }[];
  readonly ssh: readonly { readonly name: string; readonly required: boolean }[];
}

/** The stages of a file as a table. */
export function targetsText(targets: readonly Target[]): string {
  const rows = targets.map(({ name, default: byDefault, description }) => {
    const shown = name === "" ? "(default)" : byDefault ? `${name} (default)` : name;
    return [shown, description];
  });
  return table(["TARGET", "DESCRIPTION"], rows);
}

/** What a target takes, as tables. */
export function outlineText({ name, description, args, secrets, ssh }: Outline): string {
  const parts = [
    ...(name === "" ? [] : [`TARGET:       ${name}\n`]),
    ...(description === "" ? [] : [`DESCRIPTION:  ${description}\n`]),
    ...section(
      "BUILD ARG",
      ["VALUE", "DESCRIPTION"],
      args.map((arg) => [arg.name, arg.value, arg.description]),
    ),
    ...section(
      "SECRET",
      ["REQUIRED"],
      secrets.map((secret) => [secret.name, String(secret.required)]),
    ),
    ...section(
      "SSH",
      ["REQUIRED"],
      ssh.map((agent) => [agent.name, String(agent.required)]),
    ),
  ];
  return parts.join("\n");
}

function section(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [table([title, ...columns], rows)];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd((widths[column] ?? 0) + 3))
          .join("")
          .trimEnd()}\n`,
    )
    .join("");
}
