import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer } from "./call.ts";
import { type Flat, flatten, type Listed } from "./compare.ts";
import { eventsOf } from "./events.ts";

/** differences.json: where Sampan answers other than dockerd, and what no two sessions have in common. */
export interface Differences {
  /** Compared by kind: values that another machine, or another run, has otherwise. */
  readonly varies: readonly Listed[];
  /** Compared with a dockerd beside us only: what depends on the kernel and its cgroups. */
  readonly machine: readonly Listed[];
  /** There or not, zero or not, as the moment has it. */
  readonly moment: readonly Listed[];
  /** Not the same, and why that is right. */
  readonly differences: readonly Listed[];
}

const at = (name: string) => join(import.meta.dirname, name);

export const differences: Differences = JSON.parse(readFileSync(at("differences.json"), "utf8"));

const kinds = at("dockerd-28.golden.json");

/** What dockerd 28.5 answered to the session, by kinds. */
export function recordedKinds(): Readonly<Record<string, Flat>> {
  return existsSync(kinds) ? JSON.parse(readFileSync(kinds, "utf8")) : {};
}

export function record(answers: Readonly<Record<string, Flat>>): void {
  writeFileSync(kinds, `${JSON.stringify(answers, null, 1)}\n`);
}

/** All answers of a session, flat. */
export function flatAnswers(answers: ReadonlyMap<string, Answer>): Record<string, Flat> {
  const info = answers.get("info")?.body as { readonly DockerRootDir: string };
  const flat = [...answers].map(([name, answer]) => {
    const isEvents = name.startsWith("events") && answer.status === 200;
    const messages = [answer.body].flat().filter((each) => typeof each === "object");
    const body = isEvents ? eventsOf(messages as Parameters<typeof eventsOf>[0]) : answer.body;
    return [name, flatten({ ...answer, body }, info.DockerRootDir)] as const;
  });
  return Object.fromEntries(flat);
}
