import { closest } from "../../errors/suggest.ts";
import { type FileContext, InstructionLine } from "./instruction-line.ts";
import { parsers } from "./instructions/parsers.ts";
import { readJson } from "./json.ts";
import type { LogicalLine } from "./lines.ts";
import type { FromInstruction, Instruction, OnbuildInstruction } from "./types.ts";

/** Parses one instruction of any kind. */
export function parseInstruction(line: LogicalLine, file: FileContext): Instruction | FromInstruction {
  const parts = new InstructionLine(line, file);
  if (parts.name === "ONBUILD") return parseOnbuildInstruction(parts, line);
  const parse = Object.hasOwn(parsers, parts.name) ? parsers[parts.name] : undefined;
  if (parse === undefined) throw unknown(parts);
  return parse(parts);
}

function unknown(parts: InstructionLine): Error {
  const near = closest(parts.name, [...Object.keys(parsers), "ONBUILD"]);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return parts.fail(`unknown instruction: ${parts.keyword.value}${hint}`, parts.keyword.range);
}

/** `ONBUILD INSTRUCTION`: parsed to see that it is one; what counts is its text, which the child's build parses again. */
function parseOnbuildInstruction(parts: InstructionLine, line: LogicalLine): OnbuildInstruction {
  parts.flags();
  const text = parts.someArguments();
  const trigger = new InstructionLine({ ...line, text }, parts.file);
  if (trigger.name === "ONBUILD") {
    throw parts.fail("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", trigger.keyword.range);
  }
  if (trigger.name === "MAINTAINER" || trigger.name === "FROM") {
    throw parts.fail(`${trigger.name} isn't allowed as an ONBUILD trigger`, trigger.keyword.range);
  }
  parseInstruction({ ...line, text }, parts.file);
  const documents = line.heredocs.map(({ raw, name }) => `\n${raw}${name}`);
  return { kind: "ONBUILD", ...parts.base, expression: text.value + documents.join("") };
}

/** Whether a line may announce heredocs: `RUN`, `COPY` and `ADD`, also behind `ONBUILD`, and not in JSON form. */
export function takesHeredocs(line: LogicalLine["text"]): boolean {
  const words = /^(?:onbuild\s+)?(?<keyword>\S+)\s*(?:--\S+\s+)*(?<rest>.*)$/is.exec(line.value)?.groups;
  return /^(?:run|copy|add)$/i.test(words?.keyword ?? "") && readJson(words?.rest ?? "").form === "none";
}
