import { join } from "node:path";

/**
 * Node's own arguments for the daemon. A young generation of 8 MB instead of 16: what requests leave behind is small and soon
 * gone. Sixteen starts at a time spend five times as long in collections with 2 MB, where much of what is under way
 * survives one and is copied; memory at rest is the same, under load 9 MB more. The collector is at hand for times of rest.
 */
export const nodeFlags: readonly string[] = ["--max-semi-space-size=8", "--expose-gc"];

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
