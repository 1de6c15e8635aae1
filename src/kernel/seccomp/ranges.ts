import { x32Bit } from "../syscalls/x32.ts";
import { actionCodes } from "./actions.ts";
import { auditX86_64 } from "./architectures.ts";
import type { ArchDecisions, Outcome } from "./resolve.ts";

/** System call numbers that share one outcome, from here up to where the next range starts. */
export interface NumberRange {
  readonly from: number;
  readonly outcome: Outcome;
  /** Arguments are compared as 32 bits. */
  readonly narrow: boolean;
}

/** The number a tracer sets to have a call skipped. */
const skipped = 0xffffffff;

/**
 * The ranges of each audit number, which cover all 2^32 system call numbers; neighbours differ. x86-64 and x32 share an
 * audit number and differ by a bit of the number; where the profile leaves x32 out its calls kill, as in libseccomp.
 */
export function rangesByAudit(decisions: readonly ArchDecisions[]): Map<number, NumberRange[]> {
  const groups = new Map<number, NumberRange[]>();
  for (const member of decisions) {
    const { audit } = member.arch;
    const group = groups.get(audit) ?? [];
    groups.set(audit, [...group, ...rangesOf(member, group.length === 0 ? 0 : x32Bit)]);
  }
  const amd64 = groups.get(auditX86_64);
  if (amd64 !== undefined && !decisions.some(({ arch }) => arch.audit === auditX86_64 && arch.narrow)) {
    const unlisted = decisions.find(({ arch }) => arch.audit === auditX86_64)?.unlisted ?? 0;
    amd64.push({ from: x32Bit, outcome: always(actionCodes.SCMP_ACT_KILL_THREAD), narrow: false });
    amd64.push({ from: skipped, outcome: always(unlisted), narrow: false });
  }
  for (const [audit, ranges] of groups) groups.set(audit, merged(ranges));
  return groups;
}

function rangesOf(decisions: ArchDecisions, first: number): NumberRange[] {
  const { outcomes, last, arch, unlisted, newer } = decisions;
  const starts = new Set([first, last + 1]);
  for (const number of outcomes.keys()) starts.add(number).add(number + 1);
  return [...starts]
    .filter((from) => from >= first)
    .sort((a, b) => a - b)
    .map((from) => ({
      from,
      outcome: outcomes.get(from) ?? always(from <= last ? unlisted : newer),
      narrow: arch.narrow,
    }));
}

function merged(ranges: readonly NumberRange[]): NumberRange[] {
  return ranges.filter((range, index) => {
    const before = ranges[index - 1];
    return before === undefined || outcomeKey(before) !== outcomeKey(range);
  });
}

/** Equal for ranges whose code would be equal. */
export function outcomeKey({ outcome, narrow }: NumberRange): string {
  if (outcome.alternatives.length === 0) return String(outcome.otherwise);
  const width = narrow ? "32" : "64";
  return `${width} ${JSON.stringify(outcome, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`;
}

function always(action: number): Outcome {
  return { alternatives: [], otherwise: action };
}
