import { SampanError } from "../../errors/index.ts";
import { type ClassicInstruction, classicCodes } from "./classic.ts";

/** BPF_MAXINSNS: the most instructions a classic program may have. */
export const maxClassicInstructions = 4096;

/**
 * What the kernel's bpf_check_classic and seccomp_check_filter would refuse, as a sentence, or undefined for a good
 * program: too long, a jump out of the program, a load outside the data, an end that is no return.
 */
export function checkClassic(program: readonly ClassicInstruction[], dataSize: number): string | undefined {
  if (program.length === 0 || program.length > maxClassicInstructions) {
    return `${program.length} instructions, the kernel takes 1 to ${maxClassicInstructions}`;
  }
  const known = new Set<number>(Object.values(classicCodes));
  for (const [at, { code, jt, jf, k }] of program.entries()) {
    if (!known.has(code)) return `unknown code ${code} at ${at}`;
    if (code === classicCodes.load && (k % 4 !== 0 || k + 4 > dataSize)) return `load of offset ${k} at ${at}`;
    const furthest = code === classicCodes.goto ? k : Math.max(jt, jf);
    if (at + furthest + 1 > program.length - 1 && isJump(code)) return `jump out of the program at ${at}`;
  }
  return program.at(-1)?.code === classicCodes.return ? undefined : "the last instruction does not return";
}

/** Runs a checked program over its data as the kernel does, and gives back what it returns. */
export function runClassic(program: readonly ClassicInstruction[], data: DataView): number {
  let accumulator = 0;
  for (let at = 0; at < program.length; at++) {
    const instruction = program[at];
    if (instruction === undefined) break;
    const { code, k } = instruction;
    if (code === classicCodes.return) return k;
    if (code === classicCodes.load) accumulator = data.getUint32(k, true);
    else if (code === classicCodes.and) accumulator = (accumulator & k) >>> 0;
    else if (code === classicCodes.goto) at += k;
    else at += holds(code, accumulator, k) ? instruction.jt : instruction.jf;
  }
  throw new SampanError("internal", "Cannot run a BPF program: it runs off its end");
}

function isJump(code: number): boolean {
  return (code & 7) === 5;
}

function holds(code: number, a: number, k: number): boolean {
  switch (code) {
    case classicCodes.equal:
      return a === k;
    case classicCodes.greater:
      return a > k;
    case classicCodes.greaterOrEqual:
      return a >= k;
    case classicCodes.anyBit:
      return (a & k) !== 0;
    default:
      throw new SampanError("internal", `Cannot run a BPF program: code ${code} is no test`);
  }
}
