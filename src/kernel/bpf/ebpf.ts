import { SampanError } from "../../errors/index.ts";

/**
 * Assembler for the few eBPF instructions that our cgroup programs need, with forward labels.
 * Documentation/bpf/standardization/instruction-set.rst.
 */

/** struct bpf_insn with the two 4-bit registers apart. */
export interface EbpfInstruction {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly immediate: number;
}

/** Eleven registers: r0 is the result, r1 to r5 arguments (r1 the context), r6 to r9 kept over calls. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** All on 32 bits: the upper half of the destination becomes 0. */
export const ebpfCodes = {
  /** dst ← the word at src + offset. */
  loadWord: 0x61,
  andImmediate: 0x54,
  shiftRightImmediate: 0x74,
  moveImmediate: 0xb4,
  moveRegister: 0xbc,
  jumpIfEqual: 0x16,
  jumpIfNotEqual: 0x56,
  jumpIfNotEqualRegister: 0x5e,
  exit: 0x95,
} as const;

/** A place further on in a program. */
export class EbpfLabel {}

type Line =
  | EbpfInstruction
  | { readonly jump: EbpfInstruction; readonly to: EbpfLabel }
  | { readonly label: EbpfLabel };

export class EbpfAssembler {
  readonly #lines: Line[] = [];

  loadWord(dst: Register, from: Register, offset: number): void {
    this.#lines.push({ code: ebpfCodes.loadWord, dst, src: from, offset, immediate: 0 });
  }

  and(dst: Register, mask: number): void {
    this.#immediate(ebpfCodes.andImmediate, dst, mask);
  }

  shiftRight(dst: Register, bits: number): void {
    this.#immediate(ebpfCodes.shiftRightImmediate, dst, bits);
  }

  move(dst: Register, value: number): void {
    this.#immediate(ebpfCodes.moveImmediate, dst, value);
  }

  copy(dst: Register, src: Register): void {
    this.#lines.push({ code: ebpfCodes.moveRegister, dst, src, offset: 0, immediate: 0 });
  }

  jumpIfEqual(dst: Register, value: number, to: EbpfLabel): void {
    this.#jump({ code: ebpfCodes.jumpIfEqual, dst, src: 0, offset: 0, immediate: value | 0 }, to);
  }

  jumpIfNotEqual(dst: Register, value: number, to: EbpfLabel): void {
    this.#jump({ code: ebpfCodes.jumpIfNotEqual, dst, src: 0, offset: 0, immediate: value | 0 }, to);
  }

  jumpIfDifferent(dst: Register, src: Register, to: EbpfLabel): void {
    this.#jump({ code: ebpfCodes.jumpIfNotEqualRegister, dst, src, offset: 0, immediate: 0 }, to);
  }

  /** Ends the program with a constant result. */
  return(value: number): void {
    this.move(0, value);
    this.#immediate(ebpfCodes.exit, 0, 0);
  }

  place(label: EbpfLabel): void {
    this.#lines.push({ label });
  }

  /** Throws `internal` for a label that is missing, behind the jump or further than 32767 instructions. */
  assemble(): EbpfInstruction[] {
    const addresses = new Map<EbpfLabel, number>();
    let at = 0;
    for (const line of this.#lines) {
      if ("label" in line) addresses.set(line.label, at);
      else at++;
    }
    const out: EbpfInstruction[] = [];
    for (const line of this.#lines) {
      if ("label" in line) continue;
      if ("to" in line) out.push({ ...line.jump, offset: distance(out.length, addresses.get(line.to)) });
      else out.push(line);
    }
    return out;
  }

  #immediate(code: number, dst: Register, value: number): void {
    this.#lines.push({ code, dst, src: 0, offset: 0, immediate: value | 0 });
  }

  #jump(jump: EbpfInstruction, to: EbpfLabel): void {
    this.#lines.push({ jump, to });
  }
}

function distance(from: number, to: number | undefined): number {
  if (to === undefined || to <= from || to - from > 0x8000) {
    throw new SampanError("internal", "Cannot assemble eBPF: a jump has no label in reach");
  }
  return to - from - 1;
}

/** The program as an array of struct bpf_insn, eight bytes each. */
export function encodeEbpf(program: readonly EbpfInstruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, dst, src, offset, immediate }] of program.entries()) {
    bytes.writeUInt8(code, index * 8);
    bytes.writeUInt8((src << 4) | dst, index * 8 + 1);
    bytes.writeInt16LE(offset, index * 8 + 2);
    bytes.writeInt32LE(immediate, index * 8 + 4);
  }
  return bytes;
}
