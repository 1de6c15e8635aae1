import type { Contestant, Race } from "./measure.ts";

/** So many containers, `jobs` of them at a time. */
export interface Crowd {
  readonly count: number;
  readonly jobs: number;
}

/** `start`, a crowd each time. */
export function inCrowds(start: Contestant, { count, jobs }: Crowd): Contestant {
  return {
    name: start.name,
    once: async () => {
      let left = count;
      const job = async () => {
        while (left-- > 0) await start.once();
      };
      const begin = performance.now();
      await Promise.all(Array.from({ length: jobs }, job));
      return performance.now() - begin;
    },
  };
}

/** Medians as containers per second, and what part of `base`'s they are. */
export function perSecond({ rows }: Race, { count }: Crowd, base: string): string {
  const rate = (median: number) => (count / median) * 1000;
  const of = rate(rows.find(({ name }) => name === base)?.median ?? Number.NaN);
  const said = rows.map(({ name, median }) => {
    const share = name === base ? "" : ` (${(rate(median) / of).toFixed(2)})`;
    return `${name} ${rate(median).toFixed(0)}${share}`;
  });
  return `containers per second, medians: ${said.join(", ")}`;
}
