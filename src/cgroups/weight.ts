/**
 * v1 cpu.shares (2–262144, default 1024) as v2 cpu.weight (1–10000, default 100): the quadratic curve in the logarithms
 * through those three points that runc and crun agreed on in 2025; the straight line they used before gave the
 * default a weight of 39.
 */
export function sharesToWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const l = Math.log2(shares);
  const exponent = (l * l + 125 * l) / 612 - 7 / 34;
  // 10 ** 2 must not become 101 for a last binary digit
  return Math.ceil(10 ** exponent - 1e-9);
}

/** v1 blkio weight (10–1000) as io.weight (1–10000), linearly as runc and crun do. */
export function toIoWeight(weight: number): number {
  return Math.floor(1 + ((weight - 10) * 9999) / 990);
}
