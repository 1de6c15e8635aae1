import { spawn } from "node:child_process";
import { SampanError } from "../../errors/index.ts";
import type { Hook } from "../../runtime/bundle/types.ts";

/**
 * Runs hooks of the machine one after the other, with the container's state on their standard input. Throws `failed` for the first
 * that does not end with 0, or not in time; what it has written is told.
 */
export async function runHooks(hooks: readonly Hook[], name: string, state: string): Promise<void> {
  for (const [index, hook] of hooks.entries()) {
    const problem = await runHook(hook, state);
    if (problem !== undefined)
      throw new SampanError("failed", `error running ${name} hook #${index}: ${hook.path}: ${problem}`);
  }
}

/** What went wrong, if anything did. */
function runHook(hook: Hook, state: string): Promise<string | undefined> {
  const [argv0 = hook.path, ...args] = hook.argv;
  const env = Object.fromEntries(
    hook.env.map((entry) => [entry.split("=", 1)[0] ?? "", entry.slice(entry.indexOf("=") + 1)]),
  );
  const timeout = hook.timeout === undefined ? {} : { timeout: hook.timeout, killSignal: "SIGKILL" as const };
  const child = spawn(hook.path, args, { argv0, env, cwd: "/", stdio: ["pipe", "pipe", "pipe"], ...timeout });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk));
  child.stdin.on("error", () => {}); // it did not want the state
  child.stdin.end(state);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    // Not "close": what a hook leaves running in the background may hold its streams
    child.once("exit", (code, signal) => {
      child.stdout.destroy();
      child.stderr.destroy();
      if (code === 0) resolve(undefined);
      else resolve([endOf(code, signal, hook), Buffer.concat(said).toString().trim()].filter(Boolean).join(": "));
    });
  });
}

function endOf(code: number | null, signal: string | null, { timeout }: Hook): string {
  if (code !== null) return `exit status ${code}`;
  return signal === "SIGKILL" && timeout !== undefined ? `not within ${timeout / 1000} s` : `signal ${signal}`;
}
