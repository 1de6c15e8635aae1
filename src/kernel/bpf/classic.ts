import { SampanError } from "../../errors/index.ts";

/**
 * Assembler for classic BPF as seccomp(2) takes it: code is written with labels and comes out as instructions whose
 * jumps fit, whatever the distance. Documentation/networking/filter.rst, include/uapi/linux/bpf_common.h.
 */

/** struct sock_filter. */
export interface ClassicInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export const classicCodes = {
  /** A ← the 32-bit word at offset k. */
  load: 0x20,
  /** A ← A & k. */
  and: 0x54,
  goto: 0x05,
  equal: 0x15,
  greater: 0x25,
  greaterOrEqual: 0x35,
  /** True when A & k is not 0. */
  anyBit: 0x45,
  return: 0x06,
} as const;

export type ClassicTest = "equal" | "greater" | "greaterOrEqual" | "anyBit";

/** A place in a program. Every label that is jumped to is placed once, after all jumps to it. */
export class ClassicLabel {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

type Line =
  | { readonly kind: "plain"; readonly code: number; readonly k: number }
  | { readonly kind: "label"; readonly label: ClassicLabel }
  | { readonly kind: "goto"; readonly to: ClassicLabel }
  | Branch;

interface Branch {
  readonly kind: "branch";
  readonly code: number;
  readonly k: number;
  /** Undefined falls through to the next line. */
  readonly yes: ClassicLabel | undefined;
  readonly no: ClassicLabel | undefined;
}

/** Which sides of a branch are too far for the 8-bit distance and go over a `goto` of their own behind it. */
interface Detours {
  yes: boolean;
  no: boolean;
}

const nearest = 255;

export class ClassicAssembler {
  readonly #lines: Line[] = [];

  load(offset: number): void {
    this.#lines.push({ kind: "plain", code: classicCodes.load, k: offset });
  }

  and(mask: number): void {
    this.#lines.push({ kind: "plain", code: classicCodes.and, k: mask >>> 0 });
  }

  return(value: number): void {
    this.#lines.push({ kind: "plain", code: classicCodes.return, k: value >>> 0 });
  }

  goto(to: ClassicLabel): void {
    this.#lines.push({ kind: "goto", to });
  }

  /** Compares the accumulator with an unsigned 32-bit value; a side that is left out falls through. */
  branch(test: ClassicTest, value: number, to: { yes?: ClassicLabel; no?: ClassicLabel }): void {
    this.#lines.push({ kind: "branch", code: classicCodes[test], k: value >>> 0, yes: to.yes, no: to.no });
  }

  place(label: ClassicLabel): void {
    this.#lines.push({ kind: "label", label });
  }

  /** Throws `internal` for a jump to a label that is missing or lies before the jump: both are defects of the caller. */
  assemble(): ClassicInstruction[] {
    const detours = new Map<Branch, Detours>();
    for (const line of this.#lines) if (line.kind === "branch") detours.set(line, { yes: false, no: false });
    // A detour only lengthens the program, so this settles; each round can push further branches out of reach.
    let addresses = this.#addresses(detours);
    while (this.#lengthen(detours, addresses)) addresses = this.#addresses(detours);
    return this.#emit(detours, addresses);
  }

  #addresses(detours: ReadonlyMap<Branch, Detours>): Map<ClassicLabel, number> {
    const addresses = new Map<ClassicLabel, number>();
    let at = 0;
    for (const line of this.#lines) {
      if (line.kind === "label") addresses.set(line.label, at);
      else at += line.kind === "branch" ? branchLength(detours.get(line)) : 1;
    }
    return addresses;
  }

  #lengthen(detours: Map<Branch, Detours>, addresses: ReadonlyMap<ClassicLabel, number>): boolean {
    let changed = false;
    let at = 0;
    for (const line of this.#lines) {
      const detour = line.kind === "branch" ? detours.get(line) : undefined;
      const length = branchLength(detour); // the one that `addresses` knows, before this round's detours
      if (line.kind === "branch" && detour !== undefined) {
        for (const side of ["yes", "no"] as const) {
          const label = line[side];
          if (label === undefined || detour[side] || distance(at, label, addresses) <= nearest) continue;
          detour[side] = true;
          changed = true;
        }
      }
      if (line.kind !== "label") at += length;
    }
    return changed;
  }

  #emit(detours: ReadonlyMap<Branch, Detours>, addresses: ReadonlyMap<ClassicLabel, number>): ClassicInstruction[] {
    const out: ClassicInstruction[] = [];
    for (const line of this.#lines) {
      if (line.kind === "plain") out.push({ code: line.code, jt: 0, jf: 0, k: line.k });
      else if (line.kind === "goto") out.push(jump(distance(out.length, line.to, addresses)));
      else if (line.kind === "branch") emitBranch(out, line, detours.get(line), addresses);
    }
    return out;
  }
}

function branchLength(detour: Detours | undefined): number {
  return 1 + Number(detour?.yes ?? false) + Number(detour?.no ?? false);
}

function distance(from: number, to: ClassicLabel, addresses: ReadonlyMap<ClassicLabel, number>): number {
  const at = addresses.get(to);
  if (at === undefined || at <= from) {
    throw new SampanError("internal", `Cannot assemble BPF: label "${to.name}" is not placed after the jump to it`);
  }
  return at - from - 1;
}

function jump(skip: number): ClassicInstruction {
  return { code: classicCodes.goto, jt: 0, jf: 0, k: skip };
}

/** The branch, then the `goto` of each side that needs one: yes first. */
function emitBranch(
  out: ClassicInstruction[],
  line: Branch,
  detour: Detours | undefined,
  addresses: ReadonlyMap<ClassicLabel, number>,
): void {
  const at = out.length;
  const gotos: ClassicLabel[] = [];
  const behind = branchLength(detour) - 1;
  const skip = (side: "yes" | "no"): number => {
    const label = line[side];
    if (label === undefined) return behind;
    if (detour?.[side] !== true) return distance(at, label, addresses);
    gotos.push(label);
    return gotos.length - 1;
  };
  out.push({ code: line.code, jt: skip("yes"), jf: skip("no"), k: line.k });
  for (const label of gotos) out.push(jump(distance(out.length, label, addresses)));
}

/** The program as an array of struct sock_filter; struct sock_fprog wants its length and a pointer to this. */
export function encodeClassic(program: readonly ClassicInstruction[]): Uint8Array {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, instruction] of program.entries()) {
    bytes.writeUInt16LE(instruction.code, index * 8);
    bytes.writeUInt8(instruction.jt, index * 8 + 2);
    bytes.writeUInt8(instruction.jf, index * 8 + 3);
    bytes.writeUInt32LE(instruction.k, index * 8 + 4);
  }
  return bytes;
}
