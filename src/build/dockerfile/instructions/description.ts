import type { InstructionLine } from "../instruction-line.ts";

/** A comment directly above a stage or variable is its description, and then begins with its name. */
export function checkDescription(line: InstructionLine, names: readonly string[]): void {
  const last = line.base.comments.at(-1);
  if (last === undefined || names.includes(last.split(" ")[0] ?? "")) return;
  const name = names.length > 1 ? "<arg_key>" : names[0];
  const message = `Comment for ${line.name} should follow the format: \`# ${name} <description>\``;
  line.file.linter.report("InvalidDefinitionDescription", message, line.base);
}

/** What the comments above say about a name; undefined when none begins with it. */
export function descriptionOf(comments: readonly string[], name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return comments.find((comment) => comment.startsWith(`${name} `))?.slice(name.length + 1);
}
