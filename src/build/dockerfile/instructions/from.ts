import type { InstructionLine } from "../instruction-line.ts";
import { splitAtSpaces } from "../split.ts";
import type { FromInstruction } from "../types.ts";
import { checkDescription } from "./description.ts";

/** `FROM [--platform=P] BASE [AS NAME]`. */
export function parseFrom(line: InstructionLine): FromInstruction {
  const platform = line.flags({ platform: "text" }).text("platform");
  const [base, as, name, ...more] = splitAtSpaces(line.rest);
  const named = name !== undefined && as?.value.toLowerCase() === "as";
  if (base === undefined || more.length > 0 || (as !== undefined && !named)) {
    throw line.fail("FROM requires either one or three arguments");
  }
  if (!named) return { kind: "FROM", ...line.base, base: base.word(), platform, name: undefined };
  const lower = name.value.toLowerCase();
  if (!/^[a-z][a-z0-9-_.]*$/.test(lower)) {
    const reason = `invalid name for build stage: ${JSON.stringify(name.value)}, name can't start with a number or contain symbols`;
    throw line.fail(reason, name.range);
  }
  checkCasing(line, as.value, name.value);
  checkDescription(line, [lower]);
  return { kind: "FROM", ...line.base, base: base.word(), platform, name: lower };
}

function checkCasing(line: InstructionLine, as: string, name: string): void {
  const { linter } = line.file;
  if (name !== name.toLowerCase()) {
    linter.report("StageNameCasing", `Stage name '${name}' should be lowercase`, line.base);
  }
  // A keyword of mixed case is ConsistentInstructionCasing's business.
  const from = line.keyword.value;
  const matches = from === from.toLowerCase() ? as === as.toLowerCase() : from !== line.name || as === as.toUpperCase();
  if (!matches) linter.report("FromAsCasing", `'${as}' and '${from}' keywords' casing do not match`, line.base);
}
