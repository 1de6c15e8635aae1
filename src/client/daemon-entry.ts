import { join } from "node:path";

/**
 * Node's own arguments for the daemon. A young generation of 2 MB instead of 16: what requests leave behind is small and
 * soon gone, and 25 MB of memory are not worth keeping it a little longer. With 1 MB a program of system calls, 0.2 ms to
 * build, is interrupted by collections often enough to take 0.5 ms. The collector is at hand for times of rest.
 */
export const nodeFlags: readonly string[] = ["--max-semi-space-size=2", "--expose-gc"];

/**
 * The daemon's environment: `env`, and what makes the C library give memory back that nobody uses (mallopt(3)). V8's threads
 * would each keep a heap of their own, and a burst's memory would stay: a tenth of what a daemon that rests takes. Programs of
 * system calls, 20 kB each, come from the kernel and go back to it: among what lives longer they left 20 kB of holes for
 * every container that runs.
 */
export function daemonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "65536", MALLOC_MMAP_THRESHOLD_: "16384", ...env };
}

/** The daemon's entry point: the bundle beside ours, or the source when we run from source. */
export function daemonEntry(): string {
  // Only a CommonJS bundle has a __filename.
  const bundled = typeof __filename === "string" && __filename.endsWith(".cjs");
  return bundled ? join(__dirname, "daemon.cjs") : join(import.meta.dirname, "../api/daemon.ts");
}
