/** One thing whose time is taken. */
export interface Contestant {
  readonly name: string;
  /** Does it once; a number is the time it took by its own clock, in ms, which counts instead of ours. */
  once(): Promise<number | undefined>;
  close?(): Promise<void>;
}

export interface Row {
  readonly name: string;
  /** Milliseconds, in the order they were taken. */
  readonly samples: readonly number[];
  readonly min: number;
  readonly median: number;
}

/** What came of a race; `out` says of each contestant that could not do it why not. */
export interface Race {
  readonly rows: readonly Row[];
  readonly out: readonly string[];
}

/**
 * Takes everybody's time in turn, round after round, so that a busy moment of the machine hits all alike. The first round
 * warms caches, is not counted, and shows who cannot take part. Those who can are named on standard error then.
 */
export async function race(contestants: readonly Contestant[], rounds: number): Promise<Race> {
  const samples = new Map<Contestant, number[]>();
  const out: string[] = [];
  for (const contestant of contestants) {
    try {
      await contestant.once();
      samples.set(contestant, []);
    } catch (error) {
      out.push(`${contestant.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  process.stderr.write(`${rounds} rounds: ${[...samples.keys()].map(({ name }) => name).join(", ")}\n`);
  for (let round = 0; round < rounds; round++) {
    for (const [contestant, taken] of samples) {
      const start = performance.now();
      const own = await contestant.once();
      taken.push(own ?? performance.now() - start);
    }
  }
  return { rows: [...samples].map(([{ name }, taken]) => ({ name, samples: taken, ...summary(taken) })), out };
}

function summary(samples: readonly number[]): { min: number; median: number } {
  const sorted = samples.toSorted((a, b) => a - b);
  return { min: sorted[0] ?? Number.NaN, median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}

/** A Markdown table; ratios are to the row named `base`, of minimum to minimum and median to median. */
export function table(title: string, rows: readonly Row[], base: string): string {
  const of = rows.find(({ name }) => name === base);
  const ratio = (value: number, to: number | undefined) => (to === undefined ? "" : (value / to).toFixed(1));
  const cells = rows.map(({ name, min, median }) => [
    name,
    min.toFixed(1),
    median.toFixed(1),
    ratio(min, of?.min),
    ratio(median, of?.median),
  ]);
  const head = [title, "min ms", "median ms", "min ÷ base", "median ÷ base"];
  const width = (column: number) => Math.max(...[head, ...cells].map((row) => row[column]?.length ?? 0));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)))).join(" | ")} |`;
  const rule = `|${head.map((_, i) => `${"-".repeat(width(i) + (i === 0 ? 2 : 1))}${i === 0 ? "" : ":"}`).join("|")}|`;
  return [line(head), rule, ...cells.map(line)].join("\n");
}
