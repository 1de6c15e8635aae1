import type { InstructionLine } from "../instruction-line.ts";
import { readJson } from "../json.ts";
import type { CmdInstruction, Command, EntrypointInstruction, ShellInstruction } from "../types.ts";

/** The arguments in JSON form, or undefined when they are not in it. */
export function jsonArguments(line: InstructionLine, text = line.rest): readonly string[] | undefined {
  const json = readJson(text.value);
  if (json.form === "mixed") {
    throw line.fail("when using JSON array syntax, arrays must be comprised of strings only", text.range);
  }
  return json.form === "json" ? json.values : undefined;
}

/** A command in either form. JSON with a mistake in it is no JSON, and goes to the shell: Docker does so, too. */
export function readCommand(line: InstructionLine): Command {
  const args = jsonArguments(line);
  if (args !== undefined) return { form: "exec", args };
  return { form: "shell", text: line.rest.value, heredocs: line.heredocs };
}

export function parseCmd(line: InstructionLine): CmdInstruction {
  line.flags();
  return { kind: "CMD", ...line.base, command: readCommand(line) };
}

export function parseEntrypoint(line: InstructionLine): EntrypointInstruction {
  line.flags();
  return { kind: "ENTRYPOINT", ...line.base, command: readCommand(line) };
}

export function parseShell(line: InstructionLine): ShellInstruction {
  line.flags();
  const shell = jsonArguments(line, line.someArguments());
  if (shell === undefined) throw line.fail("SHELL requires the arguments to be in JSON form", line.rest.range);
  if (shell.length === 0) throw line.fail("SHELL requires at least one argument", line.rest.range);
  return { kind: "SHELL", ...line.base, shell };
}
