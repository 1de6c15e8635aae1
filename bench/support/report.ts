import { writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import type { Engine } from "./engines.ts";
import { type Race, table } from "./measure.ts";

/** A race, what it was about, and the row that all others are compared with. */
export interface Section {
  readonly title: string;
  readonly race: Race;
  readonly base: string;
}

/** The kernel, the processors and Node. */
export const machine = `Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, Node ${process.version}`;

/** The engines that were asked, by version. */
export async function versions(engines: readonly Engine[]): Promise<string> {
  const said = engines.map(async ({ name, api }) => {
    const { Version } = (await api.call("GET", "/version")) as { Version: string };
    return `${name} ${Version}`;
  });
  return (await Promise.all(said)).join(", ");
}

/** Prints what came of a benchmark, with everybody who took no part and why, and writes it to `json`. */
export async function report(
  { engines, missing = [] }: { engines: readonly Engine[]; missing?: readonly string[] },
  sections: readonly Section[],
  json: string | undefined,
): Promise<void> {
  const head = `${machine}; ${await versions(engines)}`;
  const tables = sections.map(({ title, race, base }) => {
    const left = race.out.map((why) => `left out: ${why}`);
    return [table(title, race.rows, base), ...left].join("\n");
  });
  const absent = missing.length === 0 ? [] : [missing.map((why) => `missing: ${why}`).join("\n")];
  process.stdout.write(`${[head, ...absent, ...tables].join("\n\n")}\n`);
  if (json !== undefined) writeFileSync(json, JSON.stringify({ machine: head, missing, sections }, null, 2));
}
