import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { succeed } from "../../test/support/process.ts";
import type { Contestant } from "./measure.ts";

/** Compiles bench/limit.c into `directory`; returns the program's path. */
async function compileLimit(directory: string): Promise<string> {
  const binary = join(directory, "limit");
  await succeed("cc", ["-O2", "-static", "-o", binary, join(import.meta.dirname, "../limit.c")]);
  return binary;
}

/** The limit as a contestant: it times itself, and waits on its stdin in between. */
export async function limit(directory: string, lower: string): Promise<Contestant> {
  const binary = await compileLimit(directory);
  const scratch = join(directory, "limit-scratch");
  mkdirSync(scratch);
  const child = spawn(binary, [scratch, lower, "/bin/true"], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: "the limit (C)",
    once: async () => {
      child.stdin.write("x");
      const { value, done } = await answers.next();
      if (done) throw new Error("the limit program ended");
      return Number(value) / 1e6;
    },
    close: async () => {
      child.stdin.end();
      await new Promise((resolve) => child.once("exit", resolve));
    },
  };
}

/** Containers per second of the limit, `jobs` at a time. */
export async function limitThroughput(directory: string, lower: string, count: number, jobs: number): Promise<number> {
  const scratch = join(directory, "limit-many");
  mkdirSync(scratch, { recursive: true });
  const binary = await compileLimit(directory);
  const nanoseconds = await succeed(binary, [scratch, lower, "/bin/true", `${count}`, `${jobs}`]);
  return count / (Number(nanoseconds) / 1e9);
}
