import { spawn } from "node:child_process";
import type { Contestant } from "./measure.ts";

/** A command line that has to end with status 0, from before it is started until it has ended. */
export function command(name: string, argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Contestant {
  const [file = "", ...args] = argv;
  return {
    name,
    once: () =>
      new Promise((resolve, reject) => {
        const said: Buffer[] = [];
        const start = performance.now();
        const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "pipe"] });
        child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
        child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
        child.once("error", reject);
        child.once("close", (code) => {
          const time = performance.now() - start;
          if (code === 0) resolve(time);
          else reject(new Error(`${argv.join(" ")} ended with ${code}: ${Buffer.concat(said)}`));
        });
      }),
  };
}
