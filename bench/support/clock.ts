import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { succeed } from "../../test/support/process.ts";
import type { Contestant } from "./measure.ts";

/** Compiles bench/<name>.c, statically, into `directory`; returns the program's path. */
export async function compile(name: string, directory: string): Promise<string> {
  const binary = join(directory, name);
  await succeed("cc", ["-O2", "-static", "-o", binary, join(import.meta.dirname, "..", `${name}.c`)]);
  return binary;
}

/**
 * A contestant that is a process with a clock of its own: for every byte it gets it works once and answers with a line,
 * "nanoseconds" or "nanoseconds status".
 */
export function clocked(name: string, argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Contestant {
  let started: { child: ChildProcess; answers: AsyncIterator<string>; said: Promise<string> } | undefined;
  const start = () => {
    const [file = "", ...args] = argv;
    const child = spawn(file, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => {}); // it has ended, which the answer's absence says
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, answers, said: text(child.stderr) };
  };
  return {
    name,
    once: async () => {
      started ??= start();
      started.child.stdin?.write("x");
      const { value = "", done } = await started.answers.next();
      const [nanoseconds, status = "0"] = value.split(" ");
      if (done || status !== "0") {
        started.child.stdin?.end();
        throw new Error(`${name}: ${(await started.said).trim()}`);
      }
      return Number(nanoseconds) / 1e6;
    },
    close: async () => {
      if (started === undefined || started.child.exitCode !== null) return;
      const { child } = started;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin?.end();
      await ended;
    },
  };
}
