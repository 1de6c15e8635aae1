import type { Linter } from "./linter.ts";
import type { FromInstruction, Instruction, Stage } from "./types.ts";

interface Structure {
  /** All instructions in order, with their keywords as written. */
  readonly keywords: readonly { readonly keyword: string; readonly instruction: Instruction | FromInstruction }[];
  readonly stages: readonly Stage[];
}

const reserved = ["context", "scratch"];

/** Lints that need neither variables nor base images. */
export function checkStructure({ keywords, stages }: Structure, linter: Linter): void {
  checkStageNames(stages, linter);
  checkCasing(keywords.slice(keywords.findIndex(({ instruction }) => instruction.kind === "FROM")), linter);
  for (const stage of stages) checkRepetition(stage, linter);
}

function checkStageNames(stages: readonly Stage[], linter: Linter): void {
  const seen = new Set<string>();
  for (const { from } of stages) {
    if (from.name === undefined) continue;
    if (reserved.includes(from.name)) {
      const message = `Stage name should not use the same name as reserved stage "${from.name}"`;
      linter.report("ReservedStageName", message, from);
    }
    if (seen.has(from.name)) {
      const message = `Duplicate stage name "${from.name}", stage names should be unique`;
      linter.report("DuplicateStageName", message, from);
    }
    seen.add(from.name);
  }
}

/** Instructions should be all in upper or all in lower case; the majority says which. */
function checkCasing(keywords: Structure["keywords"], linter: Linter): void {
  const lower = keywords.filter(({ keyword }) => keyword === keyword.toLowerCase()).length;
  const upper = keywords.filter(({ keyword }) => keyword === keyword.toUpperCase()).length;
  const wanted = lower > upper ? "lowercase" : "uppercase";
  for (const { keyword, instruction } of keywords) {
    const right = wanted === "lowercase" ? keyword.toLowerCase() : keyword.toUpperCase();
    if (keyword === right) continue;
    const message = `Command '${keyword}' should match the case of the command majority (${wanted})`;
    linter.report("ConsistentInstructionCasing", message, instruction);
  }
}

/** Of `CMD`, `ENTRYPOINT` and `HEALTHCHECK` only the last counts; the lint shows the ones that do not. */
function checkRepetition({ instructions }: Stage, linter: Linter): void {
  for (const kind of ["CMD", "ENTRYPOINT", "HEALTHCHECK"]) {
    for (const earlier of instructions.filter((one) => one.kind === kind).slice(0, -1)) {
      const message = `Multiple ${kind} instructions should not be used in the same stage because only the last one will be used`;
      linter.report("MultipleInstructionsDisallowed", message, earlier);
    }
  }
}
