import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { createExecutor, type Executor } from "../../src/kernel/executor.ts";

const native = resolve(import.meta.dirname, "../../native");

/** An executor that listens at `socket` and ends with its scope; the helper is compiled where it is missing. */
export function makeExecutor(socket: string): Executor & AsyncDisposable {
  const binary = join(native, "build/executor");
  if (!existsSync(binary)) execFileSync(join(native, "build.sh"), { stdio: "inherit" });
  const executor = createExecutor({ binary, socket });
  return Object.assign(executor, { [Symbol.asyncDispose]: () => executor.close() });
}
