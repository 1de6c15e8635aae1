import { type ClassicAssembler, ClassicLabel } from "../bpf/classic.ts";
import type { ArgumentTest, Operator } from "./profile.ts";

/** struct seccomp_data, what a filter sees: nr, arch, instruction pointer, six 64-bit arguments. */
export const seccompDataSize = 64;
export const seccompOffsets = { number: 0, architecture: 4, arguments: 16 } as const;

type PlainOperator = Exclude<Operator, "SCMP_CMP_MASKED_EQ">;

interface Halves {
  readonly high: number;
  readonly low: number;
}

/**
 * Code that falls through when the test holds and jumps to `fail` when not. Classic BPF knows 32-bit words only: wide
 * tests look at the high half first. `narrow` compares the low half alone.
 */
export function emitTest(code: ClassicAssembler, test: ArgumentTest, narrow: boolean, fail: ClassicLabel): void {
  const low = seccompOffsets.arguments + test.index * 8;
  const pass = new ClassicLabel("pass");
  if (test.op === "SCMP_CMP_MASKED_EQ") {
    const [mask, wanted] = [split(test.value), split(test.valueTwo & test.value)];
    if (!narrow) emitMasked(code, low + 4, { mask: mask.high, wanted: wanted.high, fail });
    emitMasked(code, low, { mask: mask.low, wanted: wanted.low, fail });
  } else {
    const value = split(test.value);
    if (!narrow) emitHigh(code, test.op, { offset: low + 4, value: value.high, pass, fail });
    code.load(low);
    emitLow(code, test.op, value.low, fail);
  }
  code.place(pass);
}

function emitMasked(
  code: ClassicAssembler,
  offset: number,
  part: { mask: number; wanted: number; fail: ClassicLabel },
): void {
  if (part.mask === 0) return;
  code.load(offset);
  if (part.mask !== 0xffffffff) code.and(part.mask);
  code.branch("equal", part.wanted, { no: part.fail });
}

/** Decides by the high half where it can; equal halves fall through to the low one. */
function emitHigh(
  code: ClassicAssembler,
  op: PlainOperator,
  part: { offset: number; value: number; pass: ClassicLabel; fail: ClassicLabel },
): void {
  const { value, pass, fail } = part;
  code.load(part.offset);
  if (op === "SCMP_CMP_GT" || op === "SCMP_CMP_GE") code.branch("greater", value, { yes: pass });
  if (op === "SCMP_CMP_LT" || op === "SCMP_CMP_LE") code.branch("greater", value, { yes: fail });
  const unequalHolds = op === "SCMP_CMP_NE" || op === "SCMP_CMP_LT" || op === "SCMP_CMP_LE";
  code.branch("equal", value, { no: unequalHolds ? pass : fail });
}

/** How the low half decides: the comparison, and which of its answers fails the test. */
const lowTests = {
  SCMP_CMP_EQ: { test: "equal", failing: "no" },
  SCMP_CMP_NE: { test: "equal", failing: "yes" },
  SCMP_CMP_GT: { test: "greater", failing: "no" },
  SCMP_CMP_GE: { test: "greaterOrEqual", failing: "no" },
  SCMP_CMP_LT: { test: "greaterOrEqual", failing: "yes" },
  SCMP_CMP_LE: { test: "greater", failing: "yes" },
} as const;

function emitLow(code: ClassicAssembler, op: PlainOperator, value: number, fail: ClassicLabel): void {
  const { test, failing } = lowTests[op];
  code.branch(test, value, { [failing]: fail });
}

function split(value: bigint): Halves {
  return { high: Number(value >> 32n), low: Number(value & 0xffffffffn) };
}
