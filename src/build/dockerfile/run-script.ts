import { parseHeredocMark } from "./heredoc.ts";
import type { Command } from "./types.ts";

/** What a command is when it is executed. */
export type Script =
  | { readonly kind: "exec"; readonly args: readonly string[] }
  /** The last argument of the stage's `SHELL`. */
  | { readonly kind: "shell"; readonly text: string }
  /** A heredoc that begins with `#!`: an executable file, mounted read-only at `path`. */
  | { readonly kind: "file"; readonly path: string; readonly content: string };

/**
 * What `RUN` executes. A heredoc alone is the script itself, for shells that have no heredocs; with anything beside it,
 * the shell gets all of it and reads the heredocs itself. Variables in it are the shell's business.
 */
export function runScript(command: Command): Script {
  if (command.form === "exec") return { kind: "exec", args: command.args };
  const [first] = command.heredocs;
  if (first === undefined) return { kind: "shell", text: command.text };
  if (parseHeredocMark(command.text) === undefined) {
    const documents = command.heredocs.map(({ raw, name }) => `\n${raw}${name}`);
    return { kind: "shell", text: command.text + documents.join("") };
  }
  const { content, name } = first;
  return content.startsWith("#!")
    ? { kind: "file", path: `/dev/pipes/${name}`, content }
    : { kind: "shell", text: content };
}

/** The first line of a heredoc, as progress shows it behind `RUN <<EOT`. */
export function summary(command: Command): string {
  const [first] = command.form === "shell" ? command.heredocs : [];
  if (first === undefined || command.form !== "shell" || parseHeredocMark(command.text) === undefined) return "";
  const [line = "", ...more] = first.raw.trim().split(/\r?\n/);
  return ` (${line}${more.length > 0 ? "..." : ""})`;
}
