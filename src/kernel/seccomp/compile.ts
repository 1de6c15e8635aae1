import { SampanError } from "../../errors/index.ts";
import { ClassicAssembler, type ClassicInstruction, ClassicLabel } from "../bpf/classic.ts";
import { checkClassic } from "../bpf/classic-machine.ts";
import { actionCodes } from "./actions.ts";
import { emitTest, seccompDataSize, seccompOffsets } from "./arguments.ts";
import { type NumberRange, outcomeKey, rangesByAudit } from "./ranges.ts";
import type { ArchDecisions } from "./resolve.ts";

/**
 * The filter: a test of the architecture (the first given is the fast path), then a binary search over ranges of
 * numbers with the same outcome, which for an allow-list is six to seven comparisons. An architecture the profile leaves
 * out kills, as in libseccomp. Throws `invalid` when the profile needs more than the kernel's 4096 instructions.
 */
export function compileFilter(decisions: readonly ArchDecisions[]): ClassicInstruction[] {
  const code = new ClassicAssembler();
  const leaves = new Leaves();
  code.load(seccompOffsets.architecture);
  for (const [audit, ranges] of rangesByAudit(decisions)) {
    const other = new ClassicLabel("other architecture");
    code.branch("equal", audit, { no: other });
    code.load(seccompOffsets.number);
    emitSearch(code, ranges, leaves);
    code.place(other);
  }
  code.return(actionCodes.SCMP_ACT_KILL_THREAD);
  leaves.emit(code);
  const program = code.assemble();
  const fault = checkClassic(program, seccompDataSize);
  if (fault !== undefined) throw new SampanError("invalid", `Cannot use the seccomp profile: ${fault}`);
  return program;
}

function emitSearch(code: ClassicAssembler, ranges: readonly NumberRange[], leaves: Leaves): void {
  const middle = ranges.length >> 1;
  const [left, right] = [ranges.slice(0, middle), ranges.slice(middle)];
  const pivot = right[0];
  if (pivot === undefined)
    throw new SampanError("internal", "Cannot compile a seccomp filter: an architecture has no ranges");
  if (left[0] === undefined) {
    code.goto(leaves.labelOf(pivot));
    return;
  }
  const more = right.length === 1 ? leaves.labelOf(pivot) : new ClassicLabel(`from ${pivot.from}`);
  const less = left.length === 1 ? { no: leaves.labelOf(left[0]) } : {};
  code.branch("greaterOrEqual", pivot.from, { yes: more, ...less });
  if (left.length > 1) emitSearch(code, left, leaves);
  if (right.length === 1) return;
  code.place(more);
  emitSearch(code, right, leaves);
}

/** The ends of the search. Each outcome's code is there once, behind everything that jumps to it. */
class Leaves {
  readonly #labels = new Map<string, { label: ClassicLabel; range: NumberRange }>();

  labelOf(range: NumberRange): ClassicLabel {
    const key = outcomeKey(range);
    let leaf = this.#labels.get(key);
    if (leaf === undefined) {
      leaf = { label: new ClassicLabel(key), range };
      this.#labels.set(key, leaf);
    }
    return leaf.label;
  }

  emit(code: ClassicAssembler): void {
    for (const { label, range } of this.#labels.values()) {
      code.place(label);
      for (const { tests, action } of range.outcome.alternatives) {
        const next = new ClassicLabel("next alternative");
        for (const test of tests) emitTest(code, test, range.narrow || test.narrow === true, next);
        code.return(action);
        code.place(next);
      }
      code.return(range.outcome.otherwise);
    }
  }
}
