/** A stream of pseudo-random numbers below 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A copy of `bytes` with one byte, within the first `within`, changed to any other value. */
export function mutated(bytes: Uint8Array, random: () => number, within = bytes.length): Buffer {
  const copy = Buffer.from(bytes);
  const at = Math.floor(random() * Math.min(within, copy.length));
  copy[at] = ((copy[at] ?? 0) + 1 + Math.floor(random() * 255)) & 0xff;
  return copy;
}

/** The seed of a test's mutations: fixed, so that failures come back; SAMPAN_SEED tries others. */
export const seed = Number(process.env.SAMPAN_SEED ?? 2026);
