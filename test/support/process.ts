import { type SpawnOptions, spawn } from "node:child_process";
import { patience } from "./requires.ts";

export interface Finished {
  /** The exit status; 128 + n when signal n ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** As `stdout`, for output that is not text. */
  readonly bytes: Buffer;
}

export interface RunOptions {
  /** Written to its stdin, which then ends; without it stdin is /dev/null. */
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds after which it is killed, times the machine's slowness. */
  readonly timeout?: number;
}

/** Runs a program to its end and collects what it writes. Rejects only when it cannot be started or takes too long. */
export function runProgram(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const limit = (options.timeout ?? 60_000) * patience;
  const spawnOptions: SpawnOptions = {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  };
  const child = spawn(command, args, spawnOptions);
  const { stdout, stderr } = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin?.on("error", () => {}); // EPIPE: it did not want its input
  child.stdin?.end(options.input);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      const said = Buffer.concat([...stdout, ...stderr]).toString();
      reject(new Error(`${command} ${args.join(" ")} took longer than ${limit} ms; it said:\n${said}`));
    }, limit);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      const bytes = Buffer.concat(stdout);
      const status = code ?? 128 + (signal === "SIGKILL" ? 9 : signal === "SIGINT" ? 2 : 15);
      resolve({ status, bytes, stdout: bytes.toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** As `runProgram`, and fails with everything it said unless it ends with status 0. Returns its stdout. */
export async function succeed(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await runProgram(command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/**
 * Waits until `probe` returns something other than undefined or false, asking every 10 ms. For states that nothing
 * announces; fails after `timeout` ms, times the machine's slowness.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T> | T,
  timeout = 10_000,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeout * patience;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeout * patience} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
