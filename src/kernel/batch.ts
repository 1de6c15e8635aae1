import { Ref } from "./block.ts";
import { Step } from "./program.ts";
import { hostArch, type SyscallName, syscallName, syscallNumber } from "./syscalls/index.ts";
import * as wire from "./wire.ts";

const WORDS = wire.step.size / 4;
const HEADER_WORDS = wire.header.size / 4;
const TWO32 = 2 ** 32;
/** Arguments are plain numbers; these two tags, beyond every immediate in use, say that one is an address or a variable. */
const ADDRESS = 2 ** 51;
const VARIABLE = 2 ** 52;

const numbers = new Map<SyscallName, number>();

function numberOf(call: SyscallName): number {
  let number = numbers.get(call);
  if (number === undefined) {
    number = syscallNumber(call, hostArch());
    numbers.set(call, number);
  }
  return number;
}

/** The address of a place in a batch's block, or the value of a variable there: an argument of `Batch.sys`. */
export type Operand = number;

export interface BatchOptions {
  /** Bytes of data it is likely to hold; it grows beyond. */
  readonly capacity: number;
  /** 64-bit words that come back. */
  readonly results: number;
  /** What a failure says about a step, from what `about` was told. */
  note(subject: string): string;
}

/**
 * A program for the hundreds of thousands of steps that unpacking an image takes: the wire of `Program`, written
 * straight into memory that is used again (40 times faster), without variables of its own, names and children.
 *
 * The results region, `results` 64-bit words, lies at the start of the block. Life: `sys`… → run by `Session.run` →
 * `reset()` once the reply is there.
 */
export class Batch {
  /** An infinitive: "unpack layer sha256:…". */
  readonly purpose: string;
  readonly #results: number;
  readonly #note: BatchOptions["note"];
  #steps = new Uint32Array(HEADER_WORDS + 64 * WORDS);
  #count = 0;
  #data: Buffer;
  #used: number;
  /** What the steps from an index on are about, in order. */
  #subjects: { from: number; subject: string }[] = [];

  constructor(purpose: string, options: BatchOptions) {
    this.purpose = purpose;
    this.#note = options.note;
    this.#results = options.results;
    this.#data = Buffer.allocUnsafeSlow(options.capacity);
    this.#used = 0;
    this.reset();
  }

  /** Forgets the steps and data. */
  reset(): void {
    this.#count = 0;
    this.#used = this.#results * 8;
    this.#data.fill(0, 0, this.#used);
    this.#subjects = [];
  }

  /** How many steps there are; also the index of the next. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of data. */
  get used(): number {
    return this.#used;
  }

  /** The steps from here on are about `subject`. */
  about(subject: string): void {
    this.#subjects.push({ from: this.#count, subject });
  }

  /** The variable of result `index`: as an argument its value. */
  variable(index: number): Operand {
    return VARIABLE + index * 8;
  }

  /** NUL-terminated bytes, given as a string of one character per byte. */
  text(latin1: string): Operand {
    const at = this.#reserve(latin1.length + 1);
    this.#data.write(latin1, at, latin1.length, "latin1");
    this.#data[at + latin1.length] = 0;
    return ADDRESS + at;
  }

  /** Bytes; successive calls lie one behind the other as long as nothing else is added. */
  append(bytes: Uint8Array): Operand {
    const at = this.#reserve(bytes.length);
    this.#data.set(bytes, at);
    return ADDRESS + at;
  }

  /** Makes the next address a multiple of 8. */
  align(): void {
    this.#reserve(-this.#used & 7);
  }

  /** 64-bit words, aligned. */
  words(words: readonly number[]): Operand {
    this.align();
    const at = this.#reserve(words.length * 8);
    for (const [index, word] of words.entries()) {
      this.#data.writeInt32LE((word % TWO32) | 0, at + index * 8);
      this.#data.writeInt32LE(Math.floor(word / TWO32), at + index * 8 + 4);
    }
    return ADDRESS + at;
  }

  /** A system call; returns its step's index, for the methods below that say more about it. */
  sys(call: SyscallName, ...args: readonly Operand[]): number {
    const index = this.#add(wire.op.sys, numberOf(call));
    const words = this.#steps;
    const at = HEADER_WORDS + index * WORDS;
    for (let a = 0; a < args.length; a++) {
      let value = args[a] as number;
      let kind: number = wire.argument.immediate;
      if (value >= VARIABLE) {
        value -= VARIABLE;
        kind = wire.argument.value;
      } else if (value >= ADDRESS) {
        value -= ADDRESS;
        kind = wire.argument.address;
      }
      const word = at + (wire.step.kinds >> 2) + (a >> 2);
      words[word] = (words[word] as number) | (kind << ((a & 3) * 8));
      words[at + (wire.step.args >> 2) + a * 2] = (value % TWO32) | 0;
      words[at + (wire.step.args >> 2) + a * 2 + 1] = Math.floor(value / TWO32);
    }
    return index;
  }

  /** As `sys` for read, write and their kin: all bytes, or the step fails. */
  full(call: SyscallName, ...args: readonly Operand[]): number {
    const index = this.sys(call, ...args);
    this.#flag(index, wire.stepFlag.full);
    return index;
  }

  /** The result of the step goes to result `result`. */
  into(step: number, result: number): void {
    this.#flag(step, wire.stepFlag.store);
    this.#steps[HEADER_WORDS + step * WORDS + (wire.step.into >> 2)] = result * 8;
  }

  /** These errnos, four at most, are no failure of the step. */
  tolerate(step: number, ...errnos: readonly number[]): void {
    const at = HEADER_WORDS + step * WORDS + (wire.step.tolerate >> 2);
    this.#steps[at] = (errnos[0] ?? 0) | ((errnos[1] ?? 0) << 16);
    this.#steps[at + 1] = (errnos[2] ?? 0) | ((errnos[3] ?? 0) << 16);
  }

  /** After a tolerated error of `step` the program goes on at the next step to be added. */
  orElseHere(step: number): void {
    this.#flag(step, wire.stepFlag.orElse);
    this.#target(step);
  }

  /** A jump to where `jumpHere` is called with the returned index. */
  jump(): number {
    return this.#add(wire.op.jump, 0);
  }

  jumpHere(jump: number): void {
    this.#target(jump);
  }

  /** The bytes of the wire; they are the batch's own memory and valid until `reset`. */
  encode(): readonly Buffer[] {
    this.#add(wire.op.end, 0);
    this.align();
    const header = Buffer.from(this.#steps.buffer, 0, wire.header.size).fill(0);
    header.writeUInt32LE(wire.protocol.magic, wire.header.magic);
    header.writeUInt32LE(this.#count, wire.header.steps);
    header.writeUInt32LE(this.#used, wire.header.dataSize);
    header.writeUInt32LE(Math.max(this.#used, 8), wire.header.blockSize);
    header.writeUInt32LE(this.#results * 8, wire.header.resultSize);
    const steps = Buffer.from(this.#steps.buffer, 0, wire.header.size + this.#count * wire.step.size);
    return [steps, this.#data.subarray(0, this.#used)];
  }

  /** A step as `Program` would have kept it, for errors. */
  step(index: number): Step | undefined {
    if (index >= this.#count) return undefined;
    const at = HEADER_WORDS + index * WORDS;
    const bytes = Buffer.from(this.#steps.buffer, at * 4, wire.step.size);
    const call = syscallName(bytes.readUInt32LE(wire.step.number));
    const args = [0, 1, 2, 3, 4, 5].map((a) => {
      const valueAt = wire.step.args + a * 8;
      if (bytes[wire.step.kinds + a] !== wire.argument.address) return Number(bytes.readBigInt64LE(valueAt));
      return new Ref("data", bytes.readUInt32LE(valueAt), 0, this.#label(bytes.readUInt32LE(valueAt)));
    });
    while (args.at(-1) === 0) args.pop();
    const note = this.#note(this.#subjects.findLast(({ from }) => from <= index)?.subject ?? "");
    return new Step({ op: "sys", ...(call && { call }), args, note }, "rootfs");
  }

  #label(offset: number): string {
    const end = this.#data.indexOf(0, offset);
    const text = this.#data.subarray(offset, Math.min(end < 0 ? this.#used : end, offset + 200));
    return text.length > 0 && text.every((byte) => byte >= 32) ? JSON.stringify(text.toString()) : "{…}";
  }

  #flag(step: number, flag: number): void {
    const at = HEADER_WORDS + step * WORDS + (wire.step.flags >> 2);
    this.#steps[at] = (this.#steps[at] as number) | (flag << ((wire.step.flags & 3) * 8));
  }

  #target(step: number): void {
    this.#steps[HEADER_WORDS + step * WORDS + (wire.step.target >> 2)] = this.#count;
  }

  #add(op: number, number: number): number {
    const at = HEADER_WORDS + this.#count * WORDS;
    if (at + WORDS > this.#steps.length) {
      const grown = new Uint32Array(HEADER_WORDS + this.#count * 2 * WORDS);
      grown.set(this.#steps);
      this.#steps = grown;
    }
    this.#steps.fill(0, at, at + WORDS);
    this.#steps[at] = op;
    this.#steps[at + 1] = number;
    return this.#count++;
  }

  #reserve(size: number): number {
    const at = this.#used;
    const end = at + size;
    if (end > this.#data.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, this.#data.length * 2));
      this.#data.copy(grown, 0, 0, at);
      this.#data = grown;
    }
    this.#used = end;
    return at;
  }
}
