import type { TestContext } from "node:test";

/** Numbers that are the same for the same seed (mulberry32): a run that failed can be run again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 up to, and without, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(things: readonly T[]): T {
    const thing = things[this.below(things.length)];
    if (thing === undefined) throw new Error("nothing to pick from");
    return thing;
  }
}

/** The random choices of a test, which tells their seed; `SAMPAN_SEED` asks for the same again. */
export function seeded(context: Pick<TestContext, "diagnostic">): Random {
  const seed = parameter("SAMPAN_SEED", Date.now() % 1_000_000);
  context.diagnostic(`seed ${seed}`);
  return new Random(seed);
}

/** A whole number that whoever runs the tests may give in the environment. */
export function parameter(name: string, usual: number): number {
  const given = process.env[name];
  const value = given === undefined || given === "" ? usual : Number(given);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name}=${given} is no whole number`);
  return value;
}
