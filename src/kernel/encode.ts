import { SampanError } from "../errors/index.ts";
import { type Block, Named, Ref, Slot } from "./block.ts";
import { errnoNumber } from "./errno.ts";
import type { Argument, Step } from "./program.ts";
import { hostArch, syscallNumber } from "./syscalls/index.ts";
import * as wire from "./wire.ts";

const arch = hostArch();
const WORDS = wire.step.size / 4;

/** Word offsets of a step's fields: the encoding is on the path of every start, and words are what it writes. */
const word = {
  op: wire.step.op / 4,
  number: wire.step.number / 4,
  kinds: wire.step.kinds / 4,
  tolerate: wire.step.tolerate / 4,
  into: wire.step.into / 4,
  target: wire.step.target / 4,
  args: wire.step.args / 4,
} as const;

/** The bytes of a program as `wire.ts` lays them out: header, steps, relocations, data. */
export function encodeProgram(steps: readonly Step[], block: Block): Buffer {
  const { data, relocations } = block.finish();
  const relocationsAt = wire.header.size / 4 + steps.length * WORDS;
  const dataAt = (relocationsAt + ((relocations.length + 1) & ~1)) * 4;
  const bytes = new ArrayBuffer(dataAt + data.length);
  const words = new Uint32Array(bytes, 0, dataAt / 4);
  words[wire.header.magic / 4] = wire.protocol.magic;
  words[wire.header.steps / 4] = steps.length;
  words[wire.header.relocations / 4] = relocations.length;
  words[wire.header.dataSize / 4] = data.length;
  words[wire.header.blockSize / 4] = block.size;
  words[wire.header.resultOffset / 4] = data.length;
  words[wire.header.resultSize / 4] = block.resultSize;
  let at = wire.header.size / 4;
  for (const step of steps) {
    encodeStep(words, at, step, block);
    at += WORDS;
  }
  words.set(relocations, relocationsAt);
  const out = Buffer.from(bytes);
  out.set(data, dataAt);
  return out;
}

function encodeStep(words: Uint32Array, at: number, step: Step, block: Block): void {
  words[at + word.op] = wire.op[step.op];
  if (step.call) words[at + word.number] = syscallNumber(step.call, arch);
  let flags = step.full ? wire.stepFlag.full : 0;
  if (step.into) {
    flags |= step.narrow ? wire.stepFlag.narrow : wire.stepFlag.store;
    words[at + word.into] = block.offsetOf(step.into);
  }
  if (step.tolerate === "all") flags |= wire.stepFlag.tolerateAll;
  else encodeTolerated(words, at + word.tolerate, step);
  if (step.orElse) flags |= wire.stepFlag.orElse;
  const target = step.orElse ?? step.target;
  if (target) {
    if (!target.step) throw new SampanError("internal", `Cannot encode "${step.note}": its label is placed nowhere`);
    words[at + word.target] = target.step.index;
  }
  // kinds are six bytes, flags the two after them
  let low = 0;
  let high = flags << 16;
  for (let index = 0; index < step.args.length; index++) {
    const kind = encodeArgument(words, at + word.args + index * 2, step.args[index] as Argument, block);
    if (index < 4) low |= kind << (index * 8);
    else high |= kind << ((index - 4) * 8);
  }
  words[at + word.kinds] = low;
  words[at + word.kinds + 1] = high;
}

/** Four 16-bit numbers. */
function encodeTolerated(words: Uint32Array, at: number, { tolerate }: Step): void {
  for (let index = 0; index < tolerate.length; index++) {
    const name = tolerate[index];
    if (tolerate === "all" || name === undefined) return;
    const place = at + (index >> 1);
    words[place] =
      (words[place] ?? 0) | (errnoNumber(name as Exclude<Step["tolerate"], "all">[number]) << ((index & 1) * 16));
  }
}

/** Writes the value and returns its kind. */
function encodeArgument(words: Uint32Array, at: number, argument: Argument, block: Block): number {
  if (argument instanceof Ref) {
    words[at] = block.offsetOf(argument);
    return wire.argument.address;
  }
  if (argument instanceof Slot) {
    words[at] = block.offsetOf(argument.address);
    return argument.width === 4 ? wire.argument.int : wire.argument.value;
  }
  const value = argument instanceof Named ? argument.value : argument;
  if (typeof value === "bigint") {
    words[at] = Number(value & 0xffffffffn);
    words[at + 1] = Number((value >> 32n) & 0xffffffffn);
  } else {
    words[at] = value;
    words[at + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return wire.argument.immediate;
}
